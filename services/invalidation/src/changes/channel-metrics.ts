import type { Metrics } from '@tidemark/service'
import type { ChangeChannels } from './change-channels.js'

/** Counters that are kept anyway, read when scraped. */
export function channelMetrics(metrics: Metrics, { counts }: ChangeChannels): void {
  metrics.counter({
    name: 'tidemark_channel_positions_total',
    help: 'Positions for the channels of changes: told by this process, told before, or dropped while Redis was away.',
    labelNames: ['outcome'],
    read: () =>
      (['told', 'repeated', 'dropped'] as const).map((outcome) => ({
        labels: { outcome },
        value: counts[outcome],
      })),
  })
  metrics.counter({
    name: 'tidemark_channel_failures_total',
    help: 'Calls to publish changes that Redis did not take.',
    read: () => counts.failures,
  })
}
