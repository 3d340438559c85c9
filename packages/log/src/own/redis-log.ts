/**
 * The Redis-only log: Redis numbers the invalidations, and each follower proves its lag by asking for the log's end.
 *
 * *What is promised.* A follower whose lag is L holds every invalidation numbered before (now - L) in the history that it
 * follows, and it ignores the history of the server that it reads for no longer than one ask. Where a server may have
 * lost anything, a new epoch sinks all there is (see lua/number.ts): a value that is afloat was loaded after that.
 *
 * *Why the lag holds.* The follower notes its instant s, asks for the head, and follows the stream up to it. What was
 * numbered before s was numbered before the answer, by the same server, so it lies at or below that head in that epoch.
 * No clocks are compared, and no heartbeat is needed: a server that nobody writes to answers the same head.
 *
 * *Two connections.* The stream's own, on which asks and reads travel in turn; and one for calls, which a blocking read
 * must not hold up. Only the stream's moves the follower to another epoch. A call's answer counts in the epoch followed:
 * as proof, and as the next link if it continues. Where the two meet different servers, a failover is under way or two
 * masters are alive; both connections are then given up, to be led to the present master, before what is known from the
 * one could make the other begin an epoch.
 *
 * *What it does not promise* is said in docs/redis-only-log.md: a master that is cut off and does not know it, and a
 * writer that dies between its commit and its invalidation.
 */

import type { Token } from '@tidemark/tide'
import { Follower, isCoveredBy, TideTable } from '@tidemark/tide'

import type { Clock } from '../clock.js'
import { pause, systemClock, within } from '../clock.js'
import type { Change } from '../entry.js'
import { LogError } from '../errors.js'
import { ObservedFollower } from '../follow/observed-follower.js'
import { createStreamSource } from '../follow/stream-source.js'
import type { InvalidationLog, Reach } from '../follow/tide.js'
import { joinRuns } from '../join-runs.js'
import { createCallConnection } from '../redis/call-connection.js'
import { logKeys } from '../redis/log-keys.js'
import type { RedisAddress } from '../redis/redis-address.js'
import { headAsk } from './head-ask.js'
import { HeadProofs } from './head-proofs.js'
import { createNumbering } from './numbering.js'
import type { Numbered } from './numbering.js'
import { createPublisher } from './publisher.js'
import { takeOwn } from './take-own.js'

export interface RedisLogOptions {
  readonly redis: RedisAddress
  /** Of the keys; default `tidemark`. Never one that changes of Postgres are shipped to. */
  readonly prefix?: string
  /** The bound that the lag is held to. */
  readonly maxLagMs?: number
  /** Of the tide table: a power of two; 64 bytes each. */
  readonly buckets?: number
  /** About how many invalidations, and bytes of them, Redis keeps for those who were away or start. */
  readonly maxEntries?: number
  readonly maxBytes?: number
  /** For each call to Redis; a read may block a quarter of the bound on top of it. */
  readonly redisTimeoutMs?: number
  /** For an invalidation, all attempts together. */
  readonly invalidateTimeoutMs?: number
  /** What it stumbled over. Following goes on. */
  readonly onError?: (error: LogError) => void
  readonly clock?: Clock
  /** In [0, 1). */
  readonly random?: () => number
}

/** How long `start` waits for the first proof, and `reach` for a live stream before it asks. */
const startWaitMs = 2_000
const streamWaitMs = 20

/** How long an invalidation that is numbered waits until its own process has heard of it. */
const ownWaitMs = 100

/**
 * A log in Redis alone: one server, Sentinel or Cluster. Each process that caches has one of its own.
 *
 * Weaker than a log in Postgres: an invalidation is a call, not part of the commit that it announces, and an isolated old
 * master goes on as one until it notices; see docs/redis-only-log.md.
 *
 * @example const log = redisLog({ redis: 'redis://127.0.0.1' }); await log.start(); await log.invalidate(['product:42'])
 */
export function redisLog({
  redis,
  prefix,
  maxLagMs = 2_000,
  buckets,
  maxEntries = 50_000,
  maxBytes = 32 * 1024 * 1024,
  redisTimeoutMs = Math.max(50, Math.min(500, maxLagMs / 8)),
  invalidateTimeoutMs = 2_000,
  onError = () => undefined,
  clock = systemClock,
  random = Math.random,
}: RedisLogOptions): InvalidationLog {
  const endpoint = { redis, ...(prefix === undefined ? {} : { prefix }) }
  const seed = Math.floor(random() * 2 ** 32)
  const follower = new Follower(new TideTable(buckets === undefined ? { seed } : { buckets, seed }))
  const observed = new ObservedFollower(follower, clock, onError)
  const proofs = new HeadProofs(observed)
  const stopping = new AbortController()
  const { signal } = stopping
  const numbering = createNumbering({
    keys: logKeys(prefix),
    maxEntries,
    maxBytes,
    wallMs: () => Math.floor(clock.now().wallMs),
  })
  const calls = createCallConnection({
    name: 'redis',
    endpoint,
    failure: 'log.unreachable',
    clock,
    timeoutMs: redisTimeoutMs,
  })
  let streamServer: string | undefined
  let running: Promise<void> | undefined
  let starting: Promise<void> | undefined
  let heads = 0
  let begun: () => void = () => undefined

  const ask = headAsk({
    numbering,
    observed,
    proofs,
    clock,
    timeoutMs: redisTimeoutMs,
    onServer(server) {
      streamServer = server
    },
  })

  const stream = createStreamSource({
    endpoint,
    observed,
    clock,
    askEveryMs: maxLagMs / 4,
    timeoutMs: redisTimeoutMs,
    ask,
    random,
    onClosed() {
      streamServer = undefined
      proofs.void()
      begun()
    },
    onError(error) {
      onError(error)
      begun()
    },
  })

  /** Gives what a call answered, if it is of the server that the stream is read from. */
  const compare = (answer: Numbered): Numbered => {
    if (streamServer !== undefined && streamServer !== answer.server) {
      onError(
        new LogError('log.stream-failed', 'two servers answer for this log: both connections are given up'),
      )
      stream.restart()
      calls.drop()
    }
    return answer
  }

  const head = joinRuns(async () => {
    heads++
    const at = clock.now()
    const { epoch, link } = compare(
      await calls.call('asking for the head', (to) => numbering.head(to, follower)),
    )
    proofs.add(epoch, link, at)
    return { term: epoch.term, position: link.position }
  })

  const publish = async (tags: readonly string[], changes: readonly Change[]): Promise<Token> => {
    const numbered = compare(
      await calls.call('an invalidation', (to) => numbering.publish(to, follower, tags, changes)),
    )
    takeOwn(observed, numbered, tags, changes)
    return { term: numbered.epoch.term, position: numbered.link.position }
  }

  const number = createPublisher({ publish, clock, timeoutMs: invalidateTimeoutMs, signal })

  const lagMs = (): number => follower.lagMs(clock.now())

  const askHead = async (timeoutMs: number): Promise<Token> => {
    if (signal.aborted) throw new LogError('log.stopped', 'head: stopped')
    const late = (): LogError =>
      new LogError('log.unreachable', `Redis gave no position within ${timeoutMs} ms`)
    return within(clock, timeoutMs, head(), late)
  }

  const reach = async (token: Token, timeoutMs: number): Promise<Reach> => {
    const startedMs = clock.now().monoMs
    const leftMs = (): number => Math.max(0, startedMs + timeoutMs - clock.now().monoMs)
    const met =
      observed.met(token) ??
      (stream.isLive && (await observed.waitFor(token, Math.min(streamWaitMs, timeoutMs))))
    if (met) return met
    const waiting = observed.waitFor(token, leftMs())
    if (signal.aborted) return 'unreachable'
    const asking = askHead(leftMs()).then(
      (end) => observed.met(token) ?? (isCoveredBy(token, end) ? undefined : ('beyond-log' as const)),
      () => undefined,
    )
    return (await Promise.race([waiting, asking])) ?? (await waiting) ?? 'unreachable'
  }

  const start = async (): Promise<void> => {
    observed.listen(() => {
      proofs.check()
      if (lagMs() <= maxLagMs) begun()
    })
    const proven = new Promise<void>((resolve) => {
      begun = resolve
    })
    running = stream.run(signal)
    await Promise.race([proven, pause(clock, startWaitMs, signal)])
  }

  return {
    follower,
    now: () => clock.now(),
    reach,
    head: askHead,
    start: () => (starting ??= start()),
    async stop() {
      stopping.abort()
      observed.release()
      calls.close()
      await running
    },
    status() {
      const { applied, epoch } = follower
      const isProven = lagMs() <= maxLagMs
      return {
        mode: epoch === undefined ? 'adrift' : isProven ? 'stream' : 'blind',
        applied,
        epoch,
        lagMs: lagMs(),
        isStreamLive: stream.isLive,
        startedFrom: epoch === undefined ? undefined : 'tail',
        counters: { ...observed.counters, reconnects: stream.reconnects, pulls: heads },
      }
    },
    listen: (listener) => observed.listen(listener),
    async pull() {
      const token = await askHead(maxLagMs)
      await observed.waitFor(token, maxLagMs)
      return token
    },
    async invalidate(tags, reason) {
      const token = await number(tags, reason)
      if (stream.isLive) await observed.waitFor(token, ownWaitMs)
      return token
    },
  }
}
