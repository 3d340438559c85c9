import type { Flush, LiveFollower } from '@tidemark/log'
import type { Metrics } from '@tidemark/service'

/** Counters that are kept anyway, read when scraped. */
export function logMetrics({
  metrics,
  flush,
  tide,
}: {
  metrics: Metrics
  flush: Flush
  tide: LiveFollower
}): void {
  const sinks = (value: (status: ReturnType<Flush['status']>[number]) => number) => () =>
    flush.status().map((status) => ({ labels: { sink: status.sink }, value: value(status) }))

  metrics.gauge({
    name: 'tidemark_sink_position',
    help: 'Where the copy of the log in this sink ended when it last answered.',
    labelNames: ['sink'],
    read: sinks(({ end }) => end?.link.position ?? 0),
  })
  metrics.counter({
    name: 'tidemark_sink_shipments_total',
    help: 'Runs shipped to this sink.',
    labelNames: ['sink'],
    read: sinks(({ shipments }) => shipments),
  })
  metrics.counter({
    name: 'tidemark_sink_failures_total',
    help: 'Calls to this sink that failed.',
    labelNames: ['sink'],
    read: sinks(({ failures }) => failures),
  })
  metrics.gauge({
    name: 'tidemark_follower_position',
    help: 'The last position that this process applied.',
    read: () => tide.follower.applied,
  })
  metrics.gauge({
    name: 'tidemark_follower_lag_seconds',
    help: 'The bound that this process can show on how far it trails the log; +Inf: none.',
    read: () => tide.status().lagMs / 1_000,
  })
}
