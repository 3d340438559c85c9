/** Runs `work` `perSecond` times a second with at most `atOnce` under way; a machine that is too slow does fewer. */
export interface Pace {
  readonly perSecond: number
  readonly atOnce: number
  readonly signal: AbortSignal
  readonly work: () => Promise<unknown>
}

const turnMs = 10
/** What a stall leaves undone is not made up for in one burst. */
const arrearsMaxMs = 500

export async function keepPace({ perSecond, atOnce, signal, work }: Pace): Promise<void> {
  const running = new Set<Promise<unknown>>()
  let due = 0
  let last = performance.now()
  while (!signal.aborted) {
    const now = performance.now()
    due = Math.min(due + ((now - last) * perSecond) / 1_000, (arrearsMaxMs * perSecond) / 1_000)
    last = now
    while (due >= 1 && running.size < atOnce) {
      due--
      const run = work().finally(() => running.delete(run))
      running.add(run)
    }
    await new Promise((resolve) => setTimeout(resolve, turnMs))
  }
  await Promise.all(running)
}
