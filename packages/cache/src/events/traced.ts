import type { TracingChannel } from 'node:diagnostics_channel'

interface Timed {
  readonly startedAtMs: number
  durationMs?: number
}

/** `run`, told to `traces` as it begins and ends. Only for when somebody listens: otherwise call `run` itself. */
export function traced<C extends Timed, T>(
  traces: TracingChannel<unknown, C>,
  context: C,
  monoMs: () => number,
  run: () => Promise<T>,
): Promise<T> {
  const timed = async (): Promise<T> => {
    try {
      return await run()
    } finally {
      context.durationMs = monoMs() - context.startedAtMs
    }
  }
  return traces.tracePromise(timed, context)
}
