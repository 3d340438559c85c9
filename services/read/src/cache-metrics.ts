import type { Cache } from '@tidemark/cache'
import type { LiveFollower } from '@tidemark/log'
import type { Metrics } from '@tidemark/service'

/** Counters that are kept anyway, read when scraped. */
export function cacheMetrics(metrics: Metrics, cache: Cache, tide: LiveFollower): void {
  metrics.counter({
    name: 'tidemark_cache_answers_total',
    help: 'Answers by the layer that gave them.',
    labelNames: ['layer'],
    read: () => {
      const { hitsL1, hitsL2, loads, staleServed } = cache.stats()
      return [
        { labels: { layer: 'l1' }, value: hitsL1 },
        { labels: { layer: 'l2' }, value: hitsL2 },
        { labels: { layer: 'origin' }, value: loads },
        { labels: { layer: 'stale' }, value: staleServed },
      ]
    },
  })
  metrics.counter({
    name: 'tidemark_cache_refused_total',
    help: 'Held values that could not be served, by reason.',
    labelNames: ['reason'],
    read: () => {
      const { sunk, unproven, expired, decodeFailures } = cache.stats()
      return Object.entries({ sunk, unproven, expired, undecodable: decodeFailures }).map(
        ([reason, value]) => ({
          labels: { reason },
          value,
        }),
      )
    },
  })
  metrics.counter({
    name: 'tidemark_cache_loads_shared_total',
    help: 'Calls that were answered by a load that another call had begun.',
    read: () => cache.stats().shared,
  })
  metrics.counter({
    name: 'tidemark_cache_load_errors_total',
    help: 'Loads that failed.',
    read: () => cache.stats().loadErrors,
  })
  metrics.counter({
    name: 'tidemark_cache_redis_errors_total',
    help: 'Redis calls that failed, took too long or were not made since Redis is in trouble.',
    read: () => cache.stats().redisErrors,
  })
  metrics.gauge({
    name: 'tidemark_cache_l1_bytes',
    help: 'Memory taken by answers in this process, estimated.',
    read: () => cache.stats().l1Bytes,
  })
  metrics.gauge({
    name: 'tidemark_cache_l1_entries',
    help: 'Answers in this process.',
    read: () => cache.stats().l1Entries,
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
