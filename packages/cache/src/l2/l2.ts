import type { Entry } from '../entry.js'
import type { Counters } from '../stats.js'
import type { Codec } from './codec.js'
import type { Envelope } from './envelope.js'
import { decodeEnvelope, encodeEnvelope } from './envelope.js'
import type { GuardedRedis } from './guarded-redis.js'
import type { RedisBatches } from './redis-batches.js'
import { batchesOf } from './redis-batches.js'
import type { BreakerState } from './redis-node.js'

export type L2Read =
  | { readonly kind: 'found'; readonly envelope: Envelope }
  | { readonly kind: 'none' }
  | { readonly kind: 'trouble' } // Redis is away, hung or overwhelmed: do not ask it again for this call

export type L2Claim =
  | { readonly kind: 'owner' | 'held-by-another'; readonly envelope: Envelope | undefined }
  | { readonly kind: 'trouble' }

export interface L2Options {
  readonly redis: GuardedRedis
  readonly prefix: string
  readonly namespace: string
  readonly codec: Codec
  readonly counters: Counters
}

/** The Redis tier of one namespace. It stores and finds; whether what it finds may be served is for others to say. */
export class L2 {
  readonly #redis: GuardedRedis
  readonly #batches: RedisBatches
  readonly #keyPrefix: string
  readonly #codec: Codec
  readonly #counters: Counters

  constructor({ redis, prefix, namespace, codec, counters }: L2Options) {
    this.#redis = redis
    this.#batches = batchesOf(redis)
    this.#keyPrefix = `${redis.keyPrefix}${prefix}:{${namespace}:`
    this.#codec = codec
    this.#counters = counters
  }

  get breaker(): BreakerState {
    return this.#redis.breaker
  }

  async read(key: string): Promise<L2Read> {
    const reply = await this.#batches.read(this.#valueKey(key))
    if (!reply.ok) return this.#trouble()
    const envelope = this.#open(reply.value)
    return envelope === undefined ? { kind: 'none' } : { kind: 'found', envelope }
  }

  async claim(key: string, owner: string, leaseMs: number): Promise<L2Claim> {
    const reply = await this.#batches.claim(this.#valueKey(key), this.#leaseKey(key), owner, leaseMs)
    if (!reply.ok) return this.#trouble()
    const envelope = this.#open(reply.value.bytes)
    return { kind: reply.value.isOwner ? 'owner' : 'held-by-another', envelope }
  }

  release(key: string, owner: string): void {
    this.#batches.release(this.#leaseKey(key), owner)
  }

  /** Undefined: the codec cannot write it, so it stays in L1 alone. */
  encode(value: unknown): Buffer | undefined {
    try {
      return this.#codec.encode(value)
    } catch {
      this.#counters.encodeFailures++
      return undefined
    }
  }

  /** Undefined: written by another codec, or its bytes are bad: a miss. */
  decode(envelope: Envelope): { readonly value: unknown } | undefined {
    try {
      if (envelope.codecId === this.#codec.id) return { value: this.#codec.decode(envelope.payload) }
    } catch {
      // Counted below: what Redis holds is untrusted.
    }
    this.#counters.decodeFailures++
    return undefined
  }

  /** Stores `entry` unless what is there is newer, and gives `owner`'s lease back with it. Ends when Redis has answered. */
  async store(key: string, entry: Entry, payload: Buffer, lifeMs: number, owner?: string): Promise<boolean> {
    const { stamp } = entry
    const bytes = stamp && encodeEnvelope({ ...entry, stamp, codecId: this.#codec.id, payload })
    if (bytes === undefined || lifeMs <= 0) {
      if (bytes === undefined) this.#counters.encodeFailures++
      if (owner !== undefined) this.release(key, owner)
      return false
    }
    const reply = await this.#batches.store(this.#valueKey(key), this.#leaseKey(key), bytes, lifeMs, owner)
    if (!reply.ok) this.#counters.redisErrors++
    return reply.ok && reply.value
  }

  /** What stands in braces decides the slot: a value and its lease share one. */
  #valueKey(key: string): string {
    return `${this.#keyPrefix}${key}}:v`
  }

  #leaseKey(key: string): string {
    return `${this.#keyPrefix}${key}}:l`
  }

  #open(bytes: Buffer | undefined): Envelope | undefined {
    if (bytes === undefined) return undefined
    const envelope = decodeEnvelope(bytes)
    if (envelope === undefined) this.#counters.decodeFailures++
    return envelope
  }

  #trouble(): { readonly kind: 'trouble' } {
    this.#counters.redisErrors++
    return { kind: 'trouble' }
  }
}
