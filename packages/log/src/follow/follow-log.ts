/**
 * The live follower: one follower fed by up to two sources.
 *
 * The stream feeds it as long as it proves. Whenever the proof is older than half the bound, for whatever reason (Redis
 * away, hung or isolated, nobody flushing), the log in Postgres is read as well, at a bounded pace, until the stream
 * proves again. So the lag stays proven while Redis is down, and Postgres is left alone while it is up. Either source may
 * be missing.
 */

import type { Token } from '@tidemark/tide'
import { Follower, TideTable } from '@tidemark/tide'

import type { Clock } from '../clock.js'
import { pause, systemClock, within } from '../clock.js'
import { asLogError, LogError } from '../errors.js'
import type { LogDatabase } from '../postgres/log-database.js'
import { createLogReader } from '../postgres/log-reader.js'
import { createSequencer } from '../postgres/sequencer.js'
import { logKeys } from '../redis/log-keys.js'
import type { RedisEndpoint } from '../redis/redis-address.js'
import { ObservedFollower } from './observed-follower.js'
import { createPostgresSource } from './postgres-source.js'
import type { PostgresSource } from './postgres-source.js'
import { startFromRedis } from './start-position.js'
import { counterAsk } from './stream-session.js'
import { createStreamSource } from './stream-source.js'
import type { FollowMode, LiveFollower, Reach } from './tide.js'

export interface FollowOptions {
  /** The stream to follow; left out: the log in Postgres alone. */
  readonly redis?: RedisEndpoint
  /** The primary; left out: the stream alone. */
  readonly postgres?: LogDatabase
  /** The bound that the lag is held to. */
  readonly maxLagMs?: number
  /** Of the tide table: a power of two; 64 bytes each. */
  readonly buckets?: number
  /** Of the tide table's hash; a checkpoint brings its own. */
  readonly seed?: number
  /** For each call to Redis; a read may block a quarter of the bound on top of it. */
  readonly redisTimeoutMs?: number
  /** For each query in Postgres. */
  readonly postgresTimeoutMs?: number
  /** What a source or a listener stumbled over. Following goes on. */
  readonly onError?: (error: LogError) => void
  readonly clock?: Clock
  /** In [0, 1). */
  readonly random?: () => number
}

/** How long `reach` leaves it to a live stream before it reads the log. */
const streamWaitMs = 20

/** @example const tide = followLog({ redis: { redis: url }, postgres: logDatabase(pool) }); await tide.start() */
export function followLog({
  redis,
  postgres,
  maxLagMs = 2_000,
  redisTimeoutMs = Math.max(50, Math.min(500, maxLagMs / 8)),
  postgresTimeoutMs = 2_000,
  onError = () => undefined,
  clock = systemClock,
  random = Math.random,
  buckets,
  seed = Math.floor(random() * 2 ** 32),
}: FollowOptions): LiveFollower {
  const follower = new Follower(new TideTable(buckets === undefined ? { seed } : { buckets, seed }))
  const observed = new ObservedFollower(follower, clock, onError)
  const stopping = new AbortController()
  const { signal } = stopping
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve()
    })
  })
  const askEveryMs = maxLagMs / 4
  const running: Promise<void>[] = []
  let starting: Promise<void> | undefined
  let startedFrom: 'checkpoint' | 'tail' | 'postgres' | undefined

  const stream =
    redis &&
    createStreamSource({
      endpoint: redis,
      observed,
      clock,
      askEveryMs,
      timeoutMs: redisTimeoutMs,
      ask: counterAsk({
        keys: logKeys(redis.prefix),
        observed,
        clock,
        timeoutMs: redisTimeoutMs,
        random,
      }),
      random,
      onError,
    })
  const log = postgres && fromPostgres(postgres, observed, clock, postgresTimeoutMs)

  const lagMs = (): number => follower.lagMs(clock.now())

  const tryToPull = async (): Promise<Token | undefined> => {
    try {
      return await log?.pull()
    } catch (error) {
      if (!signal.aborted) onError(asLogError(error, 'log.unreachable', 'the log could not be read'))
      return undefined
    }
  }

  const guardLag = async (): Promise<void> => {
    while (!signal.aborted) {
      const spareMs = maxLagMs / 2 - lagMs()
      if (spareMs <= 0) await Promise.race([tryToPull(), stopped])
      await pause(clock, Math.max(maxLagMs / 8, maxLagMs / 2 - lagMs()), signal)
    }
  }

  const reach = async (token: Token, timeoutMs: number): Promise<Reach> => {
    const startedMs = clock.now().monoMs
    const leftMs = (): number => Math.max(0, startedMs + timeoutMs - clock.now().monoMs)
    const met =
      observed.met(token) ??
      (stream?.isLive && (await observed.waitFor(token, Math.min(streamWaitMs, timeoutMs))))
    if (met) return met
    const waiting = observed.waitFor(token, leftMs())
    if (log === undefined || signal.aborted) return (await waiting) ?? 'unreachable'
    const pulling = tryToPull().then(
      (head) => observed.met(token) ?? (head && isBeyond(token, head) ? 'beyond-log' : undefined),
    )
    return (await Promise.race([waiting, pulling])) ?? (await waiting) ?? 'unreachable'
  }

  const start = async (): Promise<void> => {
    if (redis !== undefined) {
      try {
        startedFrom = await startFromRedis({
          endpoint: redis,
          observed,
          log: postgres && createLogReader(postgres, postgresTimeoutMs),
          clock,
          timeoutMs: redisTimeoutMs,
          onError,
        })
      } catch (error) {
        onError(asLogError(error, 'log.stream-failed', 'no position could be read from Redis'))
      }
    }
    if (startedFrom === undefined && (await tryToPull()) !== undefined) startedFrom = 'postgres'
    if (signal.aborted) return
    if (stream !== undefined) running.push(stream.run(signal))
    if (log !== undefined) running.push(guardLag())
  }

  return {
    follower,
    now: () => clock.now(),
    reach,
    async head(timeoutMs) {
      if (log === undefined)
        throw new LogError('log.unreachable', 'head: no Postgres was given to this follower')
      const late = (): LogError =>
        new LogError('log.unreachable', `Postgres gave no position within ${timeoutMs} ms`)
      return within(clock, timeoutMs, log.head(), late)
    },
    start: () => (starting ??= start()),
    async stop() {
      stopping.abort()
      observed.release()
      await Promise.all(running)
    },
    status() {
      const { applied, epoch } = follower
      return {
        mode: modeOf(observed, lagMs() <= maxLagMs),
        applied,
        epoch,
        lagMs: lagMs(),
        isStreamLive: stream?.isLive ?? false,
        startedFrom,
        counters: { ...observed.counters, reconnects: stream?.reconnects ?? 0, pulls: log?.pulls ?? 0 },
      }
    },
    listen: (listener) => observed.listen(listener),
    async pull() {
      if (log === undefined)
        throw new LogError('log.unreachable', 'pull: no Postgres was given to this follower')
      return log.pull()
    },
  }
}

function fromPostgres(
  postgres: LogDatabase,
  observed: ObservedFollower,
  clock: Clock,
  timeoutMs: number,
): PostgresSource {
  const sequencer = createSequencer({ log: postgres, timeoutMs })
  return createPostgresSource({ observed, sequencer, log: createLogReader(postgres, timeoutMs), clock })
}

function modeOf({ follower, provenBy }: ObservedFollower, isProven: boolean): FollowMode {
  if (follower.epoch === undefined) return 'adrift'
  return isProven && provenBy !== undefined ? provenBy : 'blind'
}

const isBeyond = (token: Token, head: Token): boolean =>
  token.term > head.term || (token.term === head.term && token.position > head.position)
