import { setTimeout as sleep } from 'node:timers/promises'

/** How long an old value may still be served after its invalidation: a message takes its time, a race does not wait. */
export const settleMs = 1_500

/** How often a node is asked again once it has given the right answer: an old one must not come back. */
const confirmations = 5

export const pause = (ms: number): Promise<void> => sleep(ms)

export const late = Symbol('late')

/** What `promise` gives, or `late`. */
export async function within<T>(ms: number, promise: T | Promise<T>): Promise<T | typeof late> {
  const timer = new AbortController()
  const bound = sleep(ms, late, { signal: timer.signal }).catch(() => late)
  try {
    return (await Promise.race([promise, bound])) as T | typeof late
  } finally {
    timer.abort()
  }
}

export interface Settled {
  readonly isRight: boolean
  /** What the last answer was, in words. */
  readonly saw: string
}

/**
 * Asks over and over until the answer is `wanted`, for at most `forMs`, and then some more: it must stay so. An answer
 * that does not come counts as wrong, and so does an error.
 */
export async function settles(
  ask: () => unknown,
  wanted: unknown,
  forMs: number = settleMs,
): Promise<Settled> {
  const giveUpAt = performance.now() + forMs
  for (let right = 0; ;) {
    const leftMs = Math.max(100, giveUpAt - performance.now())
    const answer = await within(leftMs, Promise.resolve().then(ask)).catch((error: unknown) => error)
    if (answer === wanted) right++
    else if (right > 0) return { isRight: false, saw: `${words(answer)}, after ${words(wanted)}` }
    if (right === confirmations) return { isRight: true, saw: words(answer) }
    if (right === 0 && performance.now() >= giveUpAt) return { isRight: false, saw: words(answer) }
    await pause(10)
  }
}

export function words(answer: unknown): string {
  if (answer === late) return 'no answer'
  if (answer instanceof Error) return `an error (${answer.message.slice(0, 80)})`
  return typeof answer === 'string' && /^v\d+$/.test(answer)
    ? answer
    : (JSON.stringify(answer) ?? 'undefined')
}
