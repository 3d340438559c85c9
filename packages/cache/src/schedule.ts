/** Runs `run` after `delayMs` unless it is cancelled by the function returned. */
export type Schedule = (delayMs: number, run: () => void) => () => void

export const timerSchedule: Schedule = (delayMs, run) => {
  const timer = setTimeout(run, delayMs)
  return () => {
    clearTimeout(timer)
  }
}

export const pause = (schedule: Schedule, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    schedule(delayMs, resolve)
  })

/** Settles as `promise` does, or rejects with `late()` after `boundMs`; what comes later is dropped in silence. */
export function within<T>(
  promise: Promise<T>,
  boundMs: number,
  schedule: Schedule,
  late: () => Error,
): Promise<T> {
  if (boundMs === Infinity) return promise
  return new Promise((resolve, reject) => {
    const cancel = schedule(Math.max(0, boundMs), () => {
      reject(late())
    })
    promise.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(error as Error)
      },
    )
  })
}
