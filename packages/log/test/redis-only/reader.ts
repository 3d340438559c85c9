import type { Instant, Stamp } from '@tidemark/tide'
import { Follower, isSameEpoch, TideTable } from '@tidemark/tide'
import type { Redis } from 'ioredis'

import { systemClock } from '../../src/clock.js'
import { ObservedFollower } from '../../src/follow/observed-follower.js'
import type { StreamAsk } from '../../src/follow/stream-session.js'
import { entriesOf, take } from '../../src/follow/stream-session.js'
import { headAsk } from '../../src/own/head-ask.js'
import { HeadProofs } from '../../src/own/head-proofs.js'
import type { Numbering } from '../../src/own/numbering.js'
import { createNumbering } from '../../src/own/numbering.js'
import { takeOwn } from '../../src/own/take-own.js'
import { linkId, streamId } from '../../src/redis/stream-codec.js'
import type { StreamId } from '../../src/redis/stream-codec.js'
import type { Promised, Server } from './server.js'

/** A value as a reader has stored it for all: what it had read of its tag, under the stamp taken before. */
export interface Value {
  readonly tag: string
  readonly version: number
  readonly stamp: Stamp
}

/** How much a server had acknowledged when it was asked. */
interface Asked {
  readonly at: Instant
  readonly promised: readonly Promised[]
  readonly count: number
}

/** One process: the parts of redisLog, taken step by step in the order that the world chooses. */
export class Reader {
  readonly #redis: Redis
  readonly #random: () => number
  observed!: ObservedFollower
  #proofs!: HeadProofs
  /** Whom the stream is read from, and whom the calls go to. */
  stream!: Server
  calls!: Server
  #ask!: StreamAsk
  #cursor: StreamId = linkId(0)
  #asked: Asked[] = []
  loading: { readonly tag: string; readonly stamp: Stamp } | undefined

  constructor(redis: Redis, server: Server, random: () => number) {
    this.#redis = redis
    this.#random = random
    this.restart(server)
  }

  get follower(): Follower {
    return this.observed.follower
  }

  /** A process of the same place that knows nothing. */
  restart(server: Server): void {
    const table = new TideTable({ buckets: 16, seed: Math.floor(this.#random() * 2 ** 32) })
    this.observed = new ObservedFollower(new Follower(table), systemClock, (error) => {
      throw error
    })
    this.#proofs = new HeadProofs(this.observed)
    this.observed.listen(() => {
      this.#proofs.check()
    })
    this.loading = undefined
    this.reconnect(server)
    this.calls = server
  }

  reconnect(server: Server): void {
    this.stream = server
    this.#cursor = linkId(this.follower.applied)
    this.#proofs.void()
    this.#asked = this.#asked.filter(({ at }) => at === this.follower.provenAt)
    this.#ask = headAsk({
      numbering: this.#numbering(server),
      observed: this.observed,
      proofs: this.#proofs,
      clock: systemClock,
      timeoutMs: 5_000,
      onServer: () => undefined,
    })
  }

  async ask(at: Instant): Promise<void> {
    const { promised } = this.stream
    this.#asked.push({ at, promised, count: promised.length })
    this.#cursor = await this.#ask(this.#redis, this.#cursor, at)
  }

  /** Reads on from the stream; whether there was anything. */
  async read(count: number): Promise<boolean> {
    const reply = await this.#redis.xread('COUNT', count, 'STREAMS', this.stream.keys.log, this.#cursor.text)
    const entries = entriesOf(reply)
    for (const raw of entries) {
      this.#cursor = streamId(raw[0])
      take(this.observed, raw)
    }
    return entries.length > 0
  }

  async publish(tag: string, version: number): Promise<void> {
    const { term } = this.follower.token ?? { term: 0 }
    const server = this.calls
    const numbered = await this.#numbering(server).publish(this.#redis, this.follower, [tag], [])
    if (numbered.epoch.term < term) throw new Error('a token of a lower term than its caller followed')
    server.promised.push({ tag, version, epoch: numbered.epoch, position: numbered.link.position })
    takeOwn(this.observed, numbered, [tag], [])
  }

  /** What this reader, by its own proof of lag, must know of. */
  mustKnow(): readonly Promised[] {
    const { provenAt } = this.follower
    const asked = this.#asked.find(({ at }) => at === provenAt)
    return asked === undefined ? [] : asked.promised.slice(0, asked.count)
  }

  /** Whether it would serve the value; throws where that would break the promise. */
  judge(value: Value): boolean {
    const { follower } = this
    if (!follower.isAfloat(value.stamp, follower.table.locate([value.tag]))) return false
    for (const { tag, version, epoch, position } of this.mustKnow())
      if (tag === value.tag && version > value.version)
        throw new Error(
          `older than the proof of lag: ${JSON.stringify({ value, version, epoch, position, link: follower.link })}`,
        )
    return true
  }

  /** Right after an ask, with the stream read to its end: present, and proven so. */
  async isPresent(at: Instant): Promise<void> {
    const [term, nonce, position, mark] = await this.#redis.hmget(this.stream.keys.clock, 't', 'e', 'p', 'm')
    const { epoch, link, provenAt } = this.follower
    const isThere =
      epoch !== undefined &&
      isSameEpoch(epoch, { term: Number(term), nonce: Number(nonce) }) &&
      link.position === Number(position) &&
      link.mark === Number(mark)
    if (!isThere || provenAt !== at)
      throw new Error(
        `not present after an ask: ${JSON.stringify({ epoch, link, term, nonce, position, mark, provenAt, at })}`,
      )
  }

  #numbering({ keys }: Server): Numbering {
    return createNumbering({ keys, maxEntries: 1_000, maxBytes: 2 ** 20, wallMs: () => 0 })
  }
}
