/**
 * Reads the Redis stream over one connection, until that ends.
 *
 * Asks and reads travel on it in turn: a heartbeat read here comes from the server that the ask went to, or bears
 * another generation.
 *
 * A blocking read does not tell two things, so every ask also looks at the stream's tail:
 * - it was trimmed past the cursor: silent, and harmless, since the next link does not continue and the follower rebases;
 * - it was replaced, and its IDs are at or below the cursor: the read would never wake. A tail below the cursor moves the
 *   cursor back, one of a higher term is adopted; what is read twice is ignored.
 */

import { elapsedMs } from '@tidemark/tide'
import type { Instant } from '@tidemark/tide'
import type { Redis } from 'ioredis'

import type { Clock } from '../clock.js'
import { within } from '../clock.js'
import { parseInteger } from '../entry.js'
import { LogError } from '../errors.js'
import { askScript } from '../lua/ask.js'
import { runScript } from '../lua/script.js'
import type { LogKeys } from '../redis/log-keys.js'
import { decodeItem, decodeTail, isBefore, linkId, streamId } from '../redis/stream-codec.js'
import type { RawEntry, StreamId, Tail } from '../redis/stream-codec.js'
import type { ObservedFollower } from './observed-follower.js'

/**
 * What is asked on the stream's connection at each quarter of the bound, so that what is read afterwards proves the lag
 * since `at`. Gives where to read on.
 */
export type StreamAsk = (redis: Redis, cursor: StreamId, at: Instant) => Promise<StreamId>

export interface StreamSessionOptions {
  readonly keys: LogKeys
  readonly observed: ObservedFollower
  readonly clock: Clock
  /** Time between two asks. */
  readonly askEveryMs: number
  /** For each call, on top of the time that a read may block. */
  readonly timeoutMs: number
  readonly ask: StreamAsk
  /** The server answered an ask. */
  readonly onAnswered: () => void
  /** A read came to its end, with entries or without, and all of them were taken. */
  readonly onRead: () => void
}

const readLimit = 256
const maxGeneration = 2 ** 48

/** Never resolves. @throws LogError `log.stream-failed`, or what ioredis threw */
export async function followStream(redis: Redis, options: StreamSessionOptions): Promise<never> {
  const { observed, clock, askEveryMs, timeoutMs, keys, ask } = options
  const { follower } = observed
  let cursor = linkId(follower.applied)
  let askedAt: Instant | undefined
  for (;;) {
    const now = clock.now()
    if (askedAt === undefined || elapsedMs(askedAt, now) >= askEveryMs) {
      askedAt = now
      cursor = await ask(redis, cursor, now)
      options.onAnswered()
    }
    const blockMs = Math.max(1, Math.ceil(askEveryMs - elapsedMs(askedAt, clock.now())))
    const reading = redis.xread(
      ...(['COUNT', readLimit, 'BLOCK', blockMs, 'STREAMS', keys.log, cursor.text] as const),
    )
    const entries = entriesOf(await within(clock, blockMs + timeoutMs, reading, late))
    const { epoch } = follower
    for (const raw of entries) {
      cursor = streamId(raw[0])
      take(observed, raw)
    }
    options.onRead()
    // A new epoch voids what was asked before it.
    if (follower.epoch !== epoch) askedAt = undefined
  }
}

export interface CounterAskOptions extends Omit<
  StreamSessionOptions,
  'askEveryMs' | 'ask' | 'onAnswered' | 'onRead'
> {
  /** In [0, 1). */
  readonly random: () => number
}

/** Takes the next number from the counter; a heartbeat that answers it is the proof. */
export function counterAsk({ keys, observed, clock, timeoutMs, random }: CounterAskOptions): StreamAsk {
  return async (redis, cursor, at) => {
    const generationIfNone = String(1 + Math.floor(random() * (maxGeneration - 1)))
    const asking = Promise.all([
      runScript(redis, askScript, [keys.ask], [generationIfNone, '1']),
      redis.xrevrange(keys.log, '+', '-', 'COUNT', 1),
    ])
    const [number, newest] = await within(clock, timeoutMs, asking, late)
    const next = rejoin(observed, decodeTail(newest), cursor)
    const [generation, count] = number as unknown[]
    observed.ask({
      generation: parseInteger(generation, 'generation'),
      count: parseInteger(count, 'count'),
      at,
    })
    return next
  }
}

/** Where to read on, given where the stream ends now. */
export function rejoin(observed: ObservedFollower, tail: Tail | undefined, cursor: StreamId): StreamId {
  if (tail === undefined) return cursor
  const { epoch } = observed.follower
  const isUnseen = isBefore(cursor, tail.id)
  if (epoch === undefined || (!isUnseen && tail.epoch.term > epoch.term)) {
    observed.jump(tail.epoch, tail.link)
    return linkId(tail.id.position)
  }
  if (!isBefore(tail.id, cursor)) return cursor
  return linkId(Math.min(observed.follower.applied, tail.id.position))
}

export function take(observed: ObservedFollower, raw: RawEntry): void {
  const item = decodeItem(raw)
  if (item?.kind === 'link') observed.apply(item.entry)
  if (item?.kind === 'beat') observed.hear(item.beat)
}

/** XREAD answers a list of [stream, entries], or under RESP3 one flat [stream, entries]; null when nothing came. */
export function entriesOf(reply: unknown): readonly RawEntry[] {
  if (!Array.isArray(reply)) return []
  const [first, second] = reply as unknown[]
  return (Array.isArray(first) ? first[1] : second) as readonly RawEntry[]
}

const late = (): LogError => new LogError('log.stream-failed', 'Redis gave no answer in time')
