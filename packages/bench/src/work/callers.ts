import { percentile } from '../replay/percentile.js'

export interface CallersResult {
  readonly ops: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** `callers` at once, each calling again as soon as it is answered, while `more` holds. `call` is given 0, 1, 2 … */
export async function callAtOnce(
  callers: number,
  more: (issued: number) => boolean,
  call: (number: number) => Promise<void>,
): Promise<CallersResult> {
  const latenciesMs: number[] = []
  let issued = 0
  const startMs = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (more(issued)) {
        const number = issued++
        const sentMs = performance.now()
        await call(number)
        latenciesMs.push(performance.now() - sentMs)
      }
    }),
  )
  const seconds = (performance.now() - startMs) / 1_000
  return {
    ops: issued,
    seconds,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
  }
}
