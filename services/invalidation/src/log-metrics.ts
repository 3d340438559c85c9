import type { Flush, LiveFollower } from '@tidemark/log'
import { onChangeLag } from '@tidemark/log'
import { lagBuckets } from '@tidemark/service'
import type { Metrics } from '@tidemark/service'
import type { LogState } from './log-state.js'
import type { OutboxCare } from './outbox/keep-outbox.js'
import type { Trimmer } from './trim/trimmer.js'

/** Counters that are kept anyway, read when scraped. */
export function logMetrics({
  metrics,
  flush,
  tide,
  logState,
  trimmer,
  outbox,
}: {
  metrics: Metrics
  flush: Flush
  tide: LiveFollower
  /** Null: Postgres does not answer. */
  logState: () => Promise<LogState | null>
  trimmer: Pick<Trimmer, 'cutOff'>
  outbox: Pick<OutboxCare, 'strays'>
}): void {
  metrics.counter({
    name: 'tidemark_log_cut_off_total',
    help: 'Sinks and durable cursors from which the log was cut off by its cap, LOG_KEEP_MAX_POSITIONS.',
    read: () => trimmer.cutOff(),
  })
  metrics.counter({
    name: 'tidemark_outbox_strays_total',
    help: 'Changes found below the bound of the outbox: somebody chooses ids by himself.',
    read: () => outbox.strays(),
  })
  const ofLog = (value: (state: LogState) => number) => async () => {
    const state = await logState()
    return state === null ? [] : [{ labels: {}, value: value(state) }]
  }
  metrics.gauge({
    name: 'tidemark_outbox_oldest_seconds',
    help: 'Age of the oldest change that has no position yet.',
    read: ofLog(({ oldestUnsequencedMs }) => oldestUnsequencedMs / 1_000),
  })
  metrics.gauge({
    name: 'tidemark_outbox_rows',
    help: 'Changes that have no position yet; counted up to 100,000.',
    read: ofLog(({ outboxRows }) => outboxRows),
  })
  metrics.gauge({
    name: 'tidemark_log_position',
    help: "The log's head.",
    read: ofLog(({ position }) => position),
  })
  metrics.gauge({
    name: 'tidemark_log_term',
    help: 'Raised with each new epoch: history may have been lost.',
    read: ofLog(({ term }) => term),
  })
  metrics.gauge({
    name: 'tidemark_log_kept_positions',
    help: 'Positions that the log still holds.',
    read: ofLog(({ keptPositions }) => keptPositions),
  })

  const [sequenced, applied] = [
    metrics.histogram({
      name: 'tidemark_change_sequenced_seconds',
      help: "From the statement that made a change to its position, by Postgres' clock.",
      buckets: lagBuckets,
    }),
    metrics.histogram({
      name: 'tidemark_change_applied_seconds',
      help: 'From the statement that made a change until this process applied it, by the wall clocks of both machines.',
      buckets: lagBuckets,
    }),
  ]
  onChangeLag(tide, ({ sequencedMs, appliedMs }) => {
    sequenced(sequencedMs / 1_000)
    applied(appliedMs / 1_000)
  })

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
