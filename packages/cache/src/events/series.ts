import type { CacheStats } from '../stats.js'

/** What can be measured of a cache: `Cache` and `PrivateCache` are such. */
export interface Measured {
  readonly namespace: string
  stats(): CacheStats
}

/** One metric: what it is called, and how it is read. The counters are kept anyway: reading is all that it costs. */
export interface Series {
  /** Words joined by `_`, without prefix and unit. */
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly unit?: 'bytes'
  /** Labels beside the namespace; each has a handful of values at most. */
  readonly labelNames: readonly string[]
  readonly read: (stats: CacheStats) => readonly Reading[]
}

export interface Reading {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const one =
  (read: (stats: CacheStats) => number): Series['read'] =>
  (stats) => [{ labels: {}, value: read(stats) }]

const by =
  (label: string, read: (stats: CacheStats) => Readonly<Record<string, number>>): Series['read'] =>
  (stats) =>
    Object.entries(read(stats)).map(([value, count]) => ({ labels: { [label]: value }, value: count }))

const counter = (name: string, help: string, read: (stats: CacheStats) => number): Series => ({
  name,
  type: 'counter',
  help,
  labelNames: [],
  read: one(read),
})

const gauge = (name: string, help: string, read: (stats: CacheStats) => number): Series => ({
  ...counter(name, help, read),
  type: 'gauge',
})

export const allSeries: readonly Series[] = [
  {
    name: 'answers',
    type: 'counter',
    help: 'Answers by the layer that gave them.',
    labelNames: ['layer'],
    read: by('layer', ({ hitsL1, hitsL2, loads, staleServed }) => ({
      l1: hitsL1,
      l2: hitsL2,
      origin: loads,
      stale: staleServed,
    })),
  },
  {
    name: 'refused',
    type: 'counter',
    help: 'Held values that could not be served, by reason.',
    labelNames: ['reason'],
    read: by('reason', ({ sunk, unproven, expired, decodeFailures }) => ({
      sunk,
      unproven,
      expired,
      undecodable: decodeFailures,
    })),
  },
  {
    name: 'leases',
    type: 'counter',
    help: 'Leases by what came of asking for them.',
    labelNames: ['result'],
    read: by('result', ({ leasesTaken, leaseWaits, leaseGivenUp }) => ({
      taken: leasesTaken,
      waited: leaseWaits,
      given_up: leaseGivenUp,
    })),
  },
  counter('misses', 'Calls that neither a tier nor a load under way could answer.', ({ misses }) => misses),
  counter(
    'loads_shared',
    'Calls that were answered by a load that another call had begun.',
    ({ shared }) => shared,
  ),
  counter('load_errors', 'Loads that failed.', ({ loadErrors }) => loadErrors),
  counter(
    'loads_bypassed',
    'Loads that left L2 out, since values like theirs sink before they are used.',
    ({ bypassed }) => bypassed,
  ),
  counter('refreshes', 'Loads begun before anybody had to wait for them.', ({ refreshes }) => refreshes),
  counter('overloaded', 'Calls refused since too many loads ran or waited.', ({ overloaded }) => overloaded),
  counter(
    'redis_errors',
    'Redis calls that failed, took too long or were not made since Redis is in trouble.',
    ({ redisErrors }) => redisErrors,
  ),
  counter(
    'encode_failures',
    'Values that could not be written for L2.',
    ({ encodeFailures }) => encodeFailures,
  ),
  {
    ...gauge('l1', 'Memory taken by answers in this process, estimated.', ({ l1Bytes }) => l1Bytes),
    unit: 'bytes',
  },
  gauge('l1_entries', 'Answers in this process.', ({ l1Entries }) => l1Entries),
  gauge('loads_running', 'Loads running now.', ({ loading }) => loading),
  gauge('loads_queued', 'Loads waiting for their turn now.', ({ queued }) => queued),
  gauge('hot_keys', 'Keys that are loaded again as soon as they sink.', ({ hotKeys }) => hotKeys),
  gauge('bypassed_keys', 'Keys that L2 is left out for now.', ({ bypassedKeys }) => bypassedKeys),
  {
    name: 'redis_breaker',
    type: 'gauge',
    help: 'The state of the breaker before Redis: 1 for the one that it is in.',
    labelNames: ['state'],
    read: ({ breaker }) =>
      breaker === 'none'
        ? []
        : (['closed', 'half-open', 'open'] as const).map((state) => ({
            labels: { state },
            value: state === breaker ? 1 : 0,
          })),
  },
]

/** A metric as a registry of any make wants it. */
export interface RegistrySeries {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly labelNames: readonly string[]
  readonly read: () => Reading[]
}

/**
 * The metrics of `caches`, named by the conventions of Prometheus and labelled with the namespace, for a registry of your own;
 * `@tidemark/cache/prometheus` does it for prom-client. `caches` is asked each time.
 *
 * @example for (const { name, type, help, read } of cacheSeries(() => [products])) registry[type]({ name, help, read })
 */
export const cacheSeries = (caches: () => Iterable<Measured>): RegistrySeries[] =>
  allSeries.map(({ name, type, help, unit, labelNames, read }) => ({
    name: `tidemark_cache_${name}${unit === undefined ? '' : `_${unit}`}${type === 'counter' ? '_total' : ''}`,
    type,
    help,
    labelNames: ['namespace', ...labelNames],
    read: () =>
      [...caches()].flatMap((cache) =>
        read(cache.stats()).map(({ labels, value }) => ({
          labels: { namespace: cache.namespace, ...labels },
          value,
        })),
      ),
  }))
