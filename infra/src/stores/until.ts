const EVERY_MS = 20

/**
 * Asks `attempt` until it gives a value other than undefined, or until `boundMs` have passed.
 * What `attempt` throws ends the wait.
 */
export async function until<T>(
  attempt: () => Promise<T | undefined>,
  boundMs: number,
  now: () => number = () => performance.now(),
): Promise<T | undefined> {
  const giveUpAt = now() + boundMs
  for (;;) {
    const value = await attempt()
    if (value !== undefined) return value
    if (now() >= giveUpAt) return undefined
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
}
