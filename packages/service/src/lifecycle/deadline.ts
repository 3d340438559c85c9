import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * Runs `work` with a bound. When the bound passes, or `cancel` fires, the signal is aborted and the promise rejects
 * with `late()`; if the work then ends at once with an error of its own (the last refused connection, say), that
 * error becomes the `cause`. Work that ignores its signal is left behind, never waited for.
 */
export async function withDeadline<T>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T> | T,
  late: () => Error,
  cancel?: AbortSignal,
): Promise<T> {
  const controller = new AbortController()
  let stop: () => void = () => undefined
  const stopped = new Promise<undefined>((resolve) => {
    stop = () => {
      resolve(undefined)
    }
  })
  const timer = setTimeout(stop, Math.max(0, timeoutMs))
  if (cancel?.aborted) stop()
  cancel?.addEventListener('abort', stop, { once: true })
  const outcome = Promise.resolve(controller.signal)
    .then(work)
    .then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
  try {
    const first = await Promise.race([outcome, stopped])
    if (first !== undefined) return unwrap(first)
    const error: Error = cancel?.aborted && cancel.reason instanceof Error ? cancel.reason : late()
    controller.abort(error)
    const last = await Promise.race([outcome, nextTurn(undefined)])
    if (last !== undefined && 'error' in last && last.error !== error) error.cause ??= last.error
    throw error
  } finally {
    clearTimeout(timer)
    cancel?.removeEventListener('abort', stop)
  }
}

function unwrap<T>(outcome: { value: T } | { error: unknown }): T {
  if ('error' in outcome) throw outcome.error
  return outcome.value
}
