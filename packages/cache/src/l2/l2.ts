import type { Entry } from '../entry.js'
import { bad } from '../options.js'
import type { Counters } from '../stats.js'
import type { Codec } from './codec.js'
import type { Envelope } from './envelope.js'
import type { GuardedRedis } from './guarded-redis.js'
import type { NameOf } from './key-names.js'
import { isSpelledOut } from './key-names.js'
import { Overtaking } from './overtaking.js'
import type { Claimed, RedisBatches } from './redis-batches.js'
import { batchesOf } from './redis-batches.js'
import type { BreakerState, Guarded } from './redis-node.js'
import { scanNames } from './scan.js'
import type { Wrapper } from './wrapper.js'

export type L2Read =
  | { readonly kind: 'found'; readonly envelope: Envelope }
  | { readonly kind: 'none' }
  | { readonly kind: 'trouble' } // Redis is away, hung or overwhelmed: do not ask it again for this call

export type L2Claim =
  | { readonly kind: 'owner' | 'held-by-another'; readonly envelope: Envelope | undefined }
  | { readonly kind: 'trouble' }

const none = { kind: 'none' } as const

const readOf = (envelope: Envelope | undefined): L2Read =>
  envelope === undefined ? none : { kind: 'found', envelope }

export interface L2Options {
  readonly redis: GuardedRedis
  readonly prefix: string
  readonly namespace: string
  readonly nameOf: NameOf
  readonly codec: Codec
  readonly wrapper: Wrapper
  readonly counters: Counters
}

/** The Redis tier of one namespace. It stores and finds; whether what it finds may be served is for others to say. */
export class L2 {
  readonly #redis: GuardedRedis
  readonly #batches: RedisBatches
  readonly #keyPrefix: string
  readonly #nameOf: NameOf
  readonly #codec: Codec
  readonly #wrapper: Wrapper
  readonly #counters: Counters
  readonly #overtaking = new Overtaking()

  constructor({ redis, prefix, namespace, nameOf, codec, wrapper, counters }: L2Options) {
    this.#redis = redis
    this.#batches = batchesOf(redis)
    this.#keyPrefix = `${redis.keyPrefix}${prefix}:{${namespace}:`
    this.#nameOf = nameOf
    this.#codec = codec
    this.#wrapper = wrapper
    this.#counters = counters
  }

  get breaker(): BreakerState {
    return this.#redis.breaker
  }

  /**
   * What is stored of `key`, most likely under `expectedTags`: then that list is the one in the envelope. `settle` is
   * called once, and not before this has returned. It must not throw.
   */
  look(key: string, expectedTags: readonly string[] | undefined, settle: (read: L2Read) => void): void {
    const valueKey = this.#valueKey(this.#nameOf(key))
    this.#batches.read({
      valueKey,
      settle: (reply) => {
        if (!reply.ok) {
          settle(this.#trouble('read', key))
          return
        }
        const opened = this.#open(key, valueKey, reply.value, expectedTags)
        if (opened instanceof Promise)
          void opened.then((envelope) => {
            settle(readOf(envelope))
          })
        else settle(readOf(opened))
      },
    })
  }

  read(key: string): Promise<L2Read> {
    return new Promise((resolve) => {
      this.look(key, undefined, resolve)
    })
  }

  /** `floor`: of the caller's tags; who holds the lease with a lower tidemark loses it. */
  async claim(key: string, owner: string, leaseMs: number, floor: number): Promise<L2Claim> {
    const name = this.#nameOf(key)
    const valueKey = this.#valueKey(name)
    const reply = await new Promise<Guarded<Claimed>>((settle) => {
      this.#batches.claim({ valueKey, leaseKey: this.#leaseKey(name), owner, leaseMs, floor, settle })
    })
    if (!reply.ok) return this.#trouble('claim', key)
    const opened = this.#open(key, valueKey, reply.value.bytes)
    const envelope = opened instanceof Promise ? await opened : opened
    return { kind: reply.value.isOwner ? 'owner' : 'held-by-another', envelope }
  }

  release(key: string, owner: string): void {
    this.#batches.release(this.#leaseKey(this.#nameOf(key)), owner)
  }

  /** Gives back the memory of what is as old as this or older; nobody waits for it. */
  remove(key: string, term: number, tidemark: number): void {
    this.#batches.remove({ valueKey: this.#valueKey(this.#nameOf(key)), term, tidemark })
  }

  /** The keys that begin with `prefix` and can be told from their names, in parts; see `scanNames`. @throws CacheError 'cache.unavailable', 'cache.bad-option' */
  async *keys(prefix: string): AsyncGenerator<readonly string[], void> {
    if (this.#nameOf('') !== '') throw bad('encrypt.names: names that are hashed cannot be listed')
    for await (const names of scanNames(this.#redis, this.#keyPrefix, prefix, '}:v'))
      yield names.filter(isSpelledOut)
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
    return this.undecodable()
  }

  /** Stores `entry` unless what is there is newer, and gives `owner`'s lease back with it. Ends when Redis has answered. */
  async store(key: string, entry: Entry, payload: Buffer, lifeMs: number, owner?: string): Promise<boolean> {
    const { stamp, tags, validator, loadedAtMs, expiresAtMs, staleUntilMs, loadCostMs } = entry
    const codecId = this.#codec.id
    const told = { tags, validator, loadedAtMs, expiresAtMs, staleUntilMs, loadCostMs, codecId }
    const name = this.#nameOf(key)
    const valueKey = this.#valueKey(name)
    if (stamp !== undefined) this.#overtaking.called(key, stamp)
    const wrapped = stamp && this.#wrapper.wrap(valueKey, { ...told, stamp, payload })
    // A value that is ready goes out in this turn of the event loop, with all others.
    const { bytes, isOvertaken } =
      stamp !== undefined && wrapped instanceof Promise
        ? await this.#overtaking.made(key, stamp, wrapped)
        : { bytes: wrapped as Buffer | undefined, isOvertaken: false }
    if (bytes === undefined || isOvertaken || lifeMs <= 0) {
      if (bytes === undefined) this.#counters.encodeFailures++
      if (owner !== undefined) this.release(key, owner)
      return false
    }
    const leaseKey = this.#leaseKey(name)
    const reply = await new Promise<Guarded<boolean>>((settle) => {
      this.#batches.store({ valueKey, leaseKey, envelope: bytes, lifeMs, owner: owner ?? '', settle })
    })
    if (!reply.ok) this.troubled('store', key)
    return reply.ok && reply.value
  }

  /** What stands in braces decides the slot: a value and its lease share one. */
  #valueKey(name: string): string {
    return `${this.#keyPrefix}${name}}:v`
  }

  #leaseKey(name: string): string {
    return `${this.#keyPrefix}${name}}:l`
  }

  /** Undefined where there is nothing, or nothing that this cache may read: then it is counted. */
  #open(
    key: string,
    valueKey: string,
    bytes: Buffer | undefined,
    expectedTags?: readonly string[],
  ): Envelope | undefined | Promise<Envelope | undefined> {
    if (bytes === undefined) return undefined
    const opened = this.#wrapper.unwrap(valueKey, bytes, expectedTags)
    if (opened instanceof Promise) return opened.then((envelope) => envelope ?? this.undecodable(key))
    return opened ?? this.undecodable(key)
  }

  /** Bytes that this cache cannot read. */
  protected undecodable(_key?: string): undefined {
    this.#counters.decodeFailures++
  }

  protected troubled(_call: 'read' | 'claim' | 'store', _key: string): void {
    this.#counters.redisErrors++
  }

  #trouble(call: 'read' | 'claim', key: string): { readonly kind: 'trouble' } {
    this.troubled(call, key)
    return { kind: 'trouble' }
  }
}
