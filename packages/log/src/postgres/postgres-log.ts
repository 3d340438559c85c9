/**
 * The full log, without our services: changes are captured by triggers and numbered by Postgres, and this process
 * follows them; what it announces itself goes the same way.
 *
 * Whoever flushes, numbers and ships for all. With nobody flushing, a follower whose proof grows old reads the log from
 * Postgres, which numbers what waits: so changes made by raw SQL are seen within the bound, at the price of a query by
 * each process each eighth of it. One process with `flushEveryMs` spares the others that, and they see changes within
 * milliseconds.
 */

import type { Pool } from 'pg'

import { pause, systemClock } from '../clock.js'
import { LogError } from '../errors.js'
import { followLog } from '../follow/follow-log.js'
import type { FollowOptions } from '../follow/follow-log.js'
import type { InvalidationLog } from '../follow/tide.js'
import type { RedisAddress } from '../redis/redis-address.js'
import { redisSink } from '../redis/redis-sink.js'
import { createFlush } from '../ship/flush.js'
import { logDatabase } from './log-database.js'
import type { LogDatabase } from './log-database.js'
import { recordInvalidation } from './record-invalidation.js'

export interface PostgresLogOptions extends Omit<FollowOptions, 'redis' | 'postgres'> {
  /** The primary. A pool stays its owner's. */
  readonly postgres: Pool | LogDatabase
  /** Keeps a copy of the log as a stream, by which others hear of changes within milliseconds. */
  readonly redis?: RedisAddress
  /** Of the keys in Redis; default `tidemark`. Never one that a Redis-only log uses. */
  readonly prefix?: string
  /** Numbers and ships what raw SQL and crashed writers left, so often; left out: whoever else flushes does. */
  readonly flushEveryMs?: number
}

/** How long an invalidation that is numbered waits until its own process has heard of it. */
const ownWaitMs = 200

/**
 * The log in Postgres: an invalidation is as safe as a row, and a change by anybody, psql included, is one.
 *
 * It needs the schema `tidemark` (see packages/database), and somebody to call `tidemark.trim_log` now and then.
 *
 * @example const log = postgresLog({ postgres: pool, redis: 'redis://127.0.0.1', flushEveryMs: 50 }); await log.start()
 */
export function postgresLog({
  postgres,
  redis,
  prefix,
  flushEveryMs,
  onError = () => undefined,
  clock = systemClock,
  postgresTimeoutMs = 2_000,
  ...options
}: PostgresLogOptions): InvalidationLog {
  const log = 'connect' in postgres ? logDatabase(postgres, clock) : postgres
  const endpoint = redis === undefined ? undefined : { redis, ...(prefix === undefined ? {} : { prefix }) }
  const live = followLog({
    ...options,
    ...(endpoint === undefined ? {} : { redis: endpoint }),
    postgres: log,
    onError,
    clock,
    postgresTimeoutMs,
  })
  const flush = createFlush({
    log,
    sinks: endpoint === undefined ? [] : [redisSink({ ...endpoint, clock })],
    timeoutMs: postgresTimeoutMs,
    onError,
    clock,
  })
  const stopping = new AbortController()
  const { signal } = stopping
  let flushing: Promise<void> | undefined

  const keepFlushing = async (everyMs: number): Promise<void> => {
    while (!signal.aborted) {
      await flush.flush().catch(onError)
      await pause(clock, everyMs, signal)
    }
  }

  return {
    ...live,
    async start() {
      await live.start()
      if (flushEveryMs !== undefined && !signal.aborted) flushing ??= keepFlushing(flushEveryMs)
    },
    async stop() {
      stopping.abort()
      flush.stop()
      await Promise.all([live.stop(), flushing])
    },
    async invalidate(tags, reason) {
      if (signal.aborted) throw new LogError('log.stopped', 'invalidate: stopped')
      if (tags.length > 0) await recordInvalidation(log, { tags, reason }, postgresTimeoutMs)
      const { token } = await flush.flush()
      await live.reach(token, ownWaitMs)
      return token
    },
  }
}
