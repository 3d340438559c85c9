/** Lets every contestant play once a round, in turn, so that a change of the machine's mood meets all of them. */
export async function alternate<C, R>(
  contestants: readonly C[],
  rounds: number,
  play: (contestant: C, round: number) => Promise<R>,
): Promise<Map<C, R[]>> {
  const results = new Map<C, R[]>(contestants.map((contestant) => [contestant, []]))
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contestants : [...contestants].reverse()
    for (const contestant of order) results.get(contestant)!.push(await play(contestant, round))
  }
  return results
}
