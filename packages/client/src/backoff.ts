/** Pauses between attempts: doubled with each round that failed, and spread, so that many clients do not come at once. */

export interface BackoffOptions {
  /** A round goes to each address once, with hardly a pause between. */
  readonly addresses: number
  readonly maxMs: number
  /** In [0, 1). */
  readonly random: () => number
}

const roundsMax = 16
const nextAddressMs = 100

/** `failures`: attempts in a row that failed, the last one included; `baseMs`: the pause after the first round. */
export function backoffMs(
  failures: number,
  baseMs: number,
  { addresses, maxMs, random }: BackoffOptions,
): number {
  const rounds = Math.min(roundsMax, failures / addresses - 1)
  const wholeMs = failures % addresses === 0 ? baseMs * 2 ** rounds : Math.min(baseMs, nextAddressMs)
  return Math.min(maxMs, wholeMs) * (0.5 + random() / 2)
}

/** Resolves after `delayMs`, or at once when `signal` is aborted. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, delayMs)
    signal.addEventListener('abort', end)
  })
}
