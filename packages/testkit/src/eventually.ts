const UNMET = Symbol('unmet')

export interface EventuallyOptions {
  /** Default 5000. */
  readonly timeoutMs?: number
  /** Default 10. */
  readonly everyMs?: number
}

/**
 * Tries `check` until it holds: until it neither throws nor gives `false` or `null`. Gives what it gave. An assertion
 * that gives nothing holds as soon as it does not throw.
 *
 * @example await eventually(() => expect(follower.applied).toBe(7))
 * @throws the last failure of `check` as `cause`, once `timeoutMs` have passed; also when one call hangs
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 5_000, everyMs = 10 }: EventuallyOptions = {},
): Promise<Exclude<T, false | null>> {
  const giveUpAt = performance.now() + timeoutMs
  let cause: unknown = new Error('the check did not answer')
  for (;;) {
    const leftMs = giveUpAt - performance.now()
    if (leftMs <= 0) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`not so within ${String(timeoutMs)} ms: ${reason}`, { cause })
    }
    try {
      const value = await within(check, leftMs)
      if (value !== UNMET) {
        if (value !== false && value !== null) return value as Exclude<T, false | null>
        cause = new Error(`the check gave ${String(value)}`)
      }
    } catch (error) {
      cause = error
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

async function within<T>(check: () => T | Promise<T>, boundMs: number): Promise<T | typeof UNMET> {
  let timer: NodeJS.Timeout | undefined
  const bound = new Promise<typeof UNMET>((resolve) => {
    timer = setTimeout(() => {
      resolve(UNMET)
    }, boundMs)
  })
  try {
    return await Promise.race([check(), bound])
  } finally {
    clearTimeout(timer)
  }
}
