import { randomUUID } from 'node:crypto'

import { Cache } from './cache.js'
import { Freshness } from './freshness.js'
import { Holdings } from './holdings.js'
import type { L1 } from './l1/l1.js'
import { lruL1 } from './l1/lru-l1.js'
import { noL1 } from './l1/no-l1.js'
import { chooseCodec } from './l2/codec.js'
import { GuardedRedis, guardRedis } from './l2/guarded-redis.js'
import { L2 } from './l2/l2.js'
import { LoadGate } from './load/load-gate.js'
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
 * @example const products = createCache({ tide, redis, namespace: 'products', policy: { ttl: '10m', grace: '1h' } })
 * @throws CacheError 'cache.bad-option' that names the option
 */
export function createCache(options: CacheOptions): Cache {
  checkOptions(options)
  const { tide, namespace, redis, prefix = 'tidemark', limits = {}, schedule = timerSchedule } = options
  const { random = Math.random, now = () => tide.now() } = options
  const { follower } = tide
  const counters = newCounters()
  const codec = chooseCodec(options.codec ?? 'json')
  const guarded = redis === undefined || redis instanceof GuardedRedis ? redis : guardRedis(redis)
  const l1 = l1Of(options.l1)
  const l2 = guarded && new L2({ redis: guarded, prefix, namespace, codec, counters })
  const freshness = new Freshness(follower)
  const holdings = new Holdings({ follower, now, l1, l2 })
  const { maxLoads = 128, maxQueuedLoads = 4_096, maxJoiners = 10_000, maxKeys = 1_000 } = limits
  const gate = new LoadGate({ maxLoads, maxQueued: maxQueuedLoads, schedule })
  const instance = randomUUID()
  let leases = 0
  const readThrough = new ReadThrough({
    tide,
    now,
    l1,
    l2,
    freshness,
    holdings,
    holds: new RetryHold(random),
    lease: {
      schedule,
      random,
      monoMs: () => now().monoMs,
      counters,
      newOwner: () => `${instance}:${++leases}`,
    },
    schedule,
    counters,
    maxJoiners,
  })
  return new Cache({
    tide,
    policy: definePolicy(options.policy ?? {}),
    clock: new TickClock(now),
    l1,
    l2,
    freshness,
    holdings,
    readThrough,
    origin: { follower, now, gate, schedule, counters },
    counters,
    invalidate: options.invalidate,
    maxKeys,
  })
}

function l1Of(option: CacheOptions['l1']): L1 {
  if (option === false) return noL1()
  return option !== undefined && 'get' in option ? option : lruL1(option)
}
