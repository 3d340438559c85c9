import type { L2Trace, LoadTrace } from './cache-events.js'
import { l2Traces, loadTraces } from './channels.js'

export interface DurationSink {
  load(namespace: string, result: 'ok' | 'error', seconds: number): void
  redis(namespace: string, call: L2Trace['call'], seconds: number): void
}

/** Tells `sink` how long each load and each call of Redis took, in all caches of this process. Gives the function that ends it. */
export function observeDurations(sink: DurationSink): () => void {
  const loads = loadTraces().asyncEnd
  const calls = l2Traces().asyncEnd
  const loaded = (event: unknown): void => {
    const { namespace, error, durationMs = 0 } = event as LoadTrace
    sink.load(namespace, error === undefined ? 'ok' : 'error', durationMs / 1_000)
  }
  const called = (event: unknown): void => {
    const { namespace, call, durationMs = 0 } = event as L2Trace
    sink.redis(namespace, call, durationMs / 1_000)
  }
  loads.subscribe(loaded)
  calls.subscribe(called)
  return () => {
    loads.unsubscribe(loaded)
    calls.unsubscribe(called)
  }
}
