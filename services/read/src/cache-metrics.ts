import type { Cache } from '@tidemark/cache'
import { cacheSeries } from '@tidemark/cache'
import type { LiveFollower } from '@tidemark/log'
import { onChangeLag } from '@tidemark/log'
import { lagBuckets } from '@tidemark/service'
import type { Metrics } from '@tidemark/service'

/** Without the version that the cache's own namespace carries: a series does not end with a deployment. */
const namespace = 'read'

/** Counters that are kept anyway, read when scraped. */
export function cacheMetrics(metrics: Metrics, cache: Cache, tide: LiveFollower): void {
  const measured = { namespace, stats: () => cache.stats() }
  for (const { type, ...series } of cacheSeries(() => [measured])) metrics[type](series)
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
  const observe = metrics.histogram({
    name: 'tidemark_change_applied_seconds',
    help: 'From the statement that made a change until this process applied it, by the wall clocks of both machines.',
    buckets: lagBuckets,
  })
  onChangeLag(tide, ({ appliedMs }) => {
    observe(appliedMs / 1_000)
  })
  metrics.counter({
    name: 'tidemark_follower_steps_total',
    help: 'Steps of the log that this process met, by what became of them.',
    labelNames: ['outcome'],
    read: () => {
      const { applied, rebased, adopted, repeated, ignored } = tide.status().counters
      return Object.entries({ applied, rebased, adopted, repeated, ignored }).map(([outcome, value]) => ({
        labels: { outcome },
        value,
      }))
    },
  })
}
