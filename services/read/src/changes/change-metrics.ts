import type { Metrics } from '@tidemark/service'
import type { ChangeStreams } from './change-streams.js'

/** Counters that are kept anyway, read when scraped. */
export function changeMetrics(metrics: Metrics, streams: ChangeStreams): void {
  metrics.gauge({
    name: 'tidemark_changes_subscribers',
    help: 'Streams of changes that are open.',
    read: () => streams.subscribers,
  })
  metrics.counter({
    name: 'tidemark_changes_events_total',
    help: 'Events sent to subscribers, by kind.',
    labelNames: ['event'],
    read: () => Object.entries(streams.events).map(([event, value]) => ({ labels: { event }, value })),
  })
  metrics.counter({
    name: 'tidemark_changes_streams_ended_total',
    help: 'Streams of changes that ended or were refused, by how.',
    labelNames: ['ending'],
    read: () => Object.entries(streams.endings).map(([ending, value]) => ({ labels: { ending }, value })),
  })
}
