import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'

import { observeDurations } from '../events/durations.js'
import type { Measured, RegistrySeries } from '../events/series.js'
import { cacheSeries } from '../events/series.js'

export interface CacheMetricsOptions {
  readonly register: Registry
  /** Upper bounds of the histograms' buckets, in seconds. Default: 0.5 ms to 10 s. */
  readonly buckets?: readonly number[]
}

export interface CacheMetrics {
  /** Namespaces with the same name are added up. */
  add(cache: Measured): void
  remove(cache: Measured): void
  /** Takes the metrics out of the registry. */
  stop(): void
}

const defaultBuckets: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10,
]

/**
 * The metrics of caches in a prom-client registry: the counters of `stats()`, read when scraped, and two histograms. No label
 * but the namespace has more than a handful of values, and none holds a key.
 *
 * @example const metrics = cacheMetrics({ register }); metrics.add(products)
 */
export function cacheMetrics({ register, buckets = defaultBuckets }: CacheMetricsOptions): CacheMetrics {
  const caches = new Set<Measured>()
  const registers = [register]
  const each = cacheSeries(() => caches).map((series) => readMetric(series, registers))
  const loads = new Histogram({
    name: 'tidemark_cache_load_duration_seconds',
    help: 'What loads took, their wait for a turn included.',
    labelNames: ['namespace', 'result'],
    buckets: [...buckets],
    registers,
  })
  const calls = new Histogram({
    name: 'tidemark_cache_redis_duration_seconds',
    help: 'What calls of Redis took, as their callers see it.',
    labelNames: ['namespace', 'call'],
    buckets: [...buckets],
    registers,
  })
  const isOurs = (namespace: string): boolean => [...caches].some((cache) => cache.namespace === namespace)
  const end = observeDurations({
    load: (namespace, result, seconds) => {
      if (isOurs(namespace)) loads.observe({ namespace, result }, seconds)
    },
    redis: (namespace, call, seconds) => {
      if (isOurs(namespace)) calls.observe({ namespace, call }, seconds)
    },
  })
  return {
    add: (cache) => void caches.add(cache),
    remove: (cache) => void caches.delete(cache),
    stop() {
      end()
      for (const name of [
        ...each,
        'tidemark_cache_load_duration_seconds',
        'tidemark_cache_redis_duration_seconds',
      ])
        register.removeSingleMetric(name)
    },
  }
}

/** Gives its name. */
function readMetric({ name, type, help, labelNames, read }: RegistrySeries, registers: Registry[]): string {
  const Metric: typeof Counter | typeof Gauge = type === 'counter' ? Counter : Gauge
  new Metric({
    name,
    help,
    labelNames,
    registers,
    collect() {
      this.reset()
      for (const { labels, value } of read()) this.inc(labels, value)
    },
  })
  return name
}
