import { randomUUID } from 'node:crypto'

import { Advisor } from './advice/advisor.js'
import { report } from './advice/report.js'
import { Cache } from './cache.js'
import { Changes } from './changes.js'
import { Events } from './events/events.js'
import { HistoryWatch } from './events/history-watch.js'
import { WatchedL2 } from './events/watched-l2.js'
import { Explainer } from './explain.js'
import { Finder } from './finder.js'
import { followedLog } from './followed-log.js'
import { Freshness } from './freshness.js'
import { Hits } from './hits.js'
import { Holdings } from './holdings.js'
import { HotKeys } from './hot-keys.js'
import { ImplicitTags } from './implicit-tags.js'
import type { L1 } from './l1/l1.js'
import { s3FifoL1 } from './l1/s3-fifo-l1.js'
import { noL1 } from './l1/no-l1.js'
import { chooseCodec } from './l2/choose-codec.js'
import { Compressor } from './l2/compress.js'
import { Keyring } from './l2/encrypt.js'
import { GuardedRedis, guardRedis } from './l2/guarded-redis.js'
import { keyNames } from './l2/key-names.js'
import { Wrapper } from './l2/wrapper.js'
import { Flights } from './load/flights.js'
import { LoadGate } from './load/load-gate.js'
import { Listing } from './listing.js'
import type { CacheOptions } from './options.js'
import { checkOptions } from './options.js'
import { definePolicy } from './policy.js'
import { ReadThrough } from './read-through.js'
import { RetryHold } from './retry-hold.js'
import { timerSchedule } from './schedule.js'
import { newCounters } from './stats.js'
import { TickClock } from './tick-clock.js'

/**
 * A cache for one namespace.
 *
 * @example const products = createCache({ redis, namespace: 'products', policy: { ttl: '10m', grace: '1h' } })
 * @throws CacheError 'cache.bad-option' that names the option
 */
export function createCache(options: CacheOptions): Cache {
  checkOptions(options)
  const { namespace, redis, prefix = 'tidemark', limits = {}, schedule = timerSchedule } = options
  const {
    maxLoads = 128,
    maxQueuedLoads = 4_096,
    maxJoiners = 10_000,
    maxKeys = 1_000,
    maxHotKeys = 256,
    maxUnusedKeys = 4_096,
  } = limits
  const policy = definePolicy(options.policy ?? {})
  const { compress, encrypt } = options
  const codec = chooseCodec(options.codec ?? 'msgpack')
  const wrapper = new Wrapper(new Compressor(compress || undefined), encrypt && new Keyring(encrypt.keys))
  const guarded = redis === undefined || redis instanceof GuardedRedis ? redis : guardRedis(redis)
  const log = followedLog({
    follow: options.follow,
    redis: guarded?.client,
    prefix,
    maxLagMs: policy.maxLagMs,
    schedule,
  })
  const { tide } = log
  const { random = Math.random, now = () => tide.now() } = options
  const { follower } = tide
  const counters = newCounters()
  const clock = new TickClock(now)
  const nameOf = keyNames(namespace, encrypt?.names)
  const implicit = new ImplicitTags(follower.table, namespace, nameOf)
  const l1 = l1Of(options.l1)
  const monoMs = (): number => now().monoMs
  const events = new Events(namespace)
  const stored = { prefix, namespace, nameOf, codec, wrapper }
  const l2 = guarded && new WatchedL2({ redis: guarded, ...stored, counters, events, monoMs })
  const freshness = new Freshness(follower)
  const advisor = new Advisor({
    now,
    random,
    follower,
    freshness,
    events,
    meanCallMs: l2 && (() => l2.meanCallMs),
    maxKeys: maxUnusedKeys,
  })
  l1.evicted = (key, entry) => {
    advisor.evicted(key, entry)
  }
  const holdings = new Holdings({ implicit, random, now, l1, l2, advisor })
  const holds = new RetryHold(random)
  const gate = new LoadGate({ maxLoads, maxQueued: maxQueuedLoads, schedule })
  const instance = randomUUID()
  let leases = 0
  const newOwner = (): string => {
    const stamp = follower.stamp()
    return `${stamp?.epoch.term ?? 0}-${stamp?.tidemark ?? 0}:${instance}:${++leases}`
  }
  const lease = { schedule, random, monoMs, counters, events, newOwner }
  const flights = new Flights({
    tide,
    implicit,
    now,
    l1,
    l2,
    holdings,
    holds,
    gate,
    lease,
    counters,
    events,
    advisor,
    isUnfit: (held) => !freshness.isAfloat(held) || now().wallMs >= held.expiresAtMs,
    maxJoiners,
  })
  const hotKeys = new HotKeys({
    l1,
    freshness,
    maxKeys: maxHotKeys,
    refresh: (question) => {
      readThrough.refresh(question)
    },
  })
  const readThrough = new ReadThrough({
    tide,
    implicit,
    now,
    l1,
    l2,
    freshness,
    holdings,
    holds,
    flights,
    schedule,
    counters,
    events,
    advisor,
    onSunk: (entry, question) => {
      hotKeys.sunk(entry, question)
    },
    started: log.started,
  })
  const hits = new Hits({ follower, policy, clock, l1, freshness, counters })
  const origin = {
    follower,
    now,
    gate,
    schedule,
    counters,
    events,
    previous: (key: string, { seen }: { seen: Parameters<Holdings['previous']>[1] }) =>
      holdings.previous(key, seen),
  }
  const finder = new Finder({ tide, policy, clock, random, hits, readThrough, origin, maxKeys })
  const history = new HistoryWatch(follower, events)
  const deafen = tide.listen?.(() => {
    history.stepped()
    hotKeys.stepped()
  })
  return new Cache({
    namespace,
    tide,
    policy,
    clock,
    hits,
    finder,
    changes: new Changes({
      tide,
      implicit,
      policy,
      l1,
      l2,
      holdings,
      invalidate: options.invalidate,
      events,
    }),
    explainer: new Explainer({
      follower,
      implicit,
      now,
      l1,
      l2,
      isLoading: (key) => flights.isLoading(key),
      isBypassed: (key, of) => advisor.isBypassed(key, of),
    }),
    listing: new Listing({ follower, implicit, freshness, policy, now, l1, l2, started: log.started }),
    advise: () => report({ namespace, advisor, l1, nowMs: monoMs }),
    started: log.started,
    stats: () => ({
      ...counters,
      breaker: l2?.breaker ?? 'none',
      l1Entries: l1.entries,
      l1Bytes: l1.sizeBytes,
      loading: gate.loading,
      queued: gate.queued,
      hotKeys: hotKeys.size,
      bypassedKeys: advisor.keys.size,
    }),
    async close() {
      deafen?.()
      readThrough.close()
      holdings.close()
      hotKeys.clear()
      advisor.keys.clear()
      l1.clear()
      await log.end()
    },
  })
}

function l1Of(option: CacheOptions['l1']): L1 {
  if (option === false) return noL1()
  return option !== undefined && 'get' in option ? option : s3FifoL1(option)
}
