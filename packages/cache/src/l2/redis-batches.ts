/**
 * What goes to Redis: one command for all that is asked for in one turn of the event loop, of all namespaces on the client.
 * Reads are one MGET, many a few; claims, stores and releases one call of a script each. Where a Redis command costs the client more
 * than it costs Redis, this is most of what L2 costs.
 *
 * On a Cluster no command spans slots: there the reads of a turn are a pipeline of GETs for each server, and each call of
 * a script is for one key, whose value and lease lie in one slot.
 *
 * Answers are given by calling `settle`, for all of a batch in one go and in order; it must not throw.
 */

import { TickBatch } from '../tick-batch.js'
import type { GuardedRedis } from './guarded-redis.js'
import type { Guarded, RedisNode } from './redis-node.js'
import type { Calls, Reply } from './call-script.js'
import { callAtOnce, callEach } from './call-script.js'
import { claimScript, releaseScript, removeScript, storeScript } from './scripts.js'

export interface Claimed {
  readonly isOwner: boolean
  readonly bytes: Buffer | undefined
}

export interface Read {
  readonly valueKey: string
  settle(reply: Guarded<Buffer | undefined>): void
}

export interface Claim {
  readonly valueKey: string
  readonly leaseKey: string
  /** Its term and tidemark, then what tells it from all others. */
  readonly owner: string
  readonly leaseMs: number
  /** A load with a lower tidemark is of no use to the claimant. */
  readonly floor: number
  settle(reply: Guarded<Claimed>): void
}

export interface Store {
  readonly valueKey: string
  readonly leaseKey: string
  readonly envelope: Buffer
  readonly lifeMs: number
  /** Whose lease is given back with it; '': nobody's. */
  readonly owner: string
  /** True: stored; false: what is there is newer. */
  settle(reply: Guarded<boolean>): void
}

export interface Remove {
  readonly valueKey: string
  readonly term: number
  readonly tidemark: number
}

export interface Release {
  readonly leaseKey: string
  readonly owner: string
}

const maxReads = 512
/** Many reads go out in a few parts, so that Redis reads one while this process makes use of the one before it. */
const leastReads = 32
const mostParts = 4
/** A script runs to its end before Redis does anything else. */
const maxCalls = 64

const trouble = { ok: false } as const

export class RedisBatches {
  readonly #redis: GuardedRedis
  readonly #reads: TickBatch<Read>
  readonly #claims: TickBatch<Claim>
  readonly #stores: TickBatch<Store>
  readonly #releases: TickBatch<Release>
  readonly #removes: TickBatch<Remove>

  constructor(redis: GuardedRedis) {
    this.#redis = redis
    this.#reads = this.#batch(maxReads, ({ valueKey }) => valueKey, this.#sendReads)
    this.#claims = this.#batch(maxCalls, ({ leaseKey }) => leaseKey, this.#sendClaims)
    this.#stores = this.#batch(maxCalls, ({ leaseKey }) => leaseKey, this.#sendStores)
    this.#releases = this.#batch(maxCalls, ({ leaseKey }) => leaseKey, this.#sendReleases)
    this.#removes = this.#batch(maxCalls, ({ valueKey }) => valueKey, this.#sendRemoves)
  }

  read(read: Read): void {
    this.#reads.add(read)
  }

  /** The lease if it is free, and what is stored: whoever gets the lease sees what the holder before it has stored. */
  claim(claim: Claim): void {
    this.#claims.add(claim)
  }

  store(store: Store): void {
    this.#stores.add(store)
  }

  release(leaseKey: string, owner: string): void {
    this.#releases.add({ leaseKey, owner })
  }

  /** Deletes what is as old as this or older. Nobody waits for it: what stays costs memory, not truth. */
  remove(remove: Remove): void {
    this.#removes.add(remove)
  }

  #batch<Item>(
    maxItems: number,
    keyOf: (item: Item) => string,
    send: (node: RedisNode, items: Item[]) => Promise<void>,
  ): TickBatch<Item> {
    const redis = this.#redis
    const sendAll = (items: Item[]): void => {
      if (redis.only !== undefined) {
        void send(redis.only, items)
        return
      }
      const opening = redis.opening()
      if (opening === undefined) for (const [node, part] of redis.byNode(items, keyOf)) void send(node, part)
      else
        void opening.then(() => {
          sendAll(items)
        })
    }
    return new TickBatch(sendAll, maxItems)
  }

  readonly #sendReads = async (node: RedisNode, reads: Read[]): Promise<void> => {
    if (node !== this.#redis.only) {
      await this.#sendGets(node, reads)
      return
    }
    const size = Math.max(leastReads, Math.ceil(reads.length / mostParts))
    const parts: Promise<void>[] = []
    for (let from = 0; from < reads.length; from += size)
      parts.push(this.#sendMget(node, reads.slice(from, from + size)))
    await Promise.all(parts)
  }

  async #sendMget(node: RedisNode, reads: readonly Read[]): Promise<void> {
    const keys = reads.map(({ valueKey }) => valueKey)
    const replies = await node.run((client) => client.mgetBuffer(keys))
    for (let i = 0; i < reads.length; i++)
      reads[i]!.settle(replies.ok ? { ok: true, value: replies.value[i] ?? undefined } : trouble)
  }

  async #sendGets(node: RedisNode, reads: readonly Read[]): Promise<void> {
    const replies = await node.run((client) => {
      const pipeline = client.pipeline()
      for (const { valueKey } of reads) pipeline.getBuffer(valueKey)
      return pipeline.exec() as Promise<(readonly [Error | null, Buffer | null])[]>
    })
    for (let i = 0; i < reads.length; i++) {
      const [error, value] = replies.ok ? replies.value[i]! : [undefined, null]
      if (error === null) reads[i]!.settle({ ok: true, value: value ?? undefined })
      // A key of another type is no value: MGET says nil for it, and the store will go over it.
      else if (error?.message.startsWith('WRONGTYPE') === true)
        reads[i]!.settle({ ok: true, value: undefined })
      else {
        if (error !== undefined) this.#redis.heed(error)
        reads[i]!.settle(trouble)
      }
    }
  }

  readonly #sendClaims = async (node: RedisNode, claims: Claim[]): Promise<void> => {
    const keys = claims.flatMap(({ valueKey, leaseKey }) => [valueKey, leaseKey])
    const args = claims.flatMap(({ owner, leaseMs, floor }) => [owner, leaseMs, floor])
    // A hung Redis carries it out when it wakes: a lease that its owner does not know of must not stand.
    const late = (replies: readonly Reply[]): void => {
      for (const [i, { leaseKey, owner }] of claims.entries())
        if (claimed(replies[i])?.isOwner === true) this.release(leaseKey, owner)
    }
    const replies = await this.#call(node, { script: claimScript, calls: claims.length, keys, args }, late)
    for (let i = 0; i < claims.length; i++) {
      const value = claimed(replies?.[i])
      claims[i]!.settle(value === undefined ? trouble : { ok: true, value })
    }
  }

  readonly #sendStores = async (node: RedisNode, stores: Store[]): Promise<void> => {
    const keys = stores.flatMap(({ valueKey, leaseKey }) => [valueKey, leaseKey])
    const args = stores.flatMap(({ envelope, lifeMs, owner }) => [
      envelope,
      Math.max(1, Math.ceil(lifeMs)),
      owner,
    ])
    const replies = await this.#call(node, { script: storeScript, calls: stores.length, keys, args })
    for (let i = 0; i < stores.length; i++) {
      const reply = replies?.[i]
      stores[i]!.settle(isNumber(reply) ? { ok: true, value: isOne(reply) } : trouble)
    }
  }

  readonly #sendReleases = async (node: RedisNode, releases: Release[]): Promise<void> => {
    const keys = releases.map(({ leaseKey }) => leaseKey)
    const args = releases.map(({ owner }) => owner)
    await this.#call(node, { script: releaseScript, calls: releases.length, keys, args })
  }

  readonly #sendRemoves = async (node: RedisNode, removes: Remove[]): Promise<void> => {
    const keys = removes.map(({ valueKey }) => valueKey)
    const args = removes.flatMap(({ term, tidemark }) => [
      term,
      Math.floor(tidemark / 2 ** 32),
      tidemark % 2 ** 32,
    ])
    await this.#call(node, { script: removeScript, calls: removes.length, keys, args })
  }

  /**
   * One reply for each call, as far as there are any. `late` is given them where they come after this has given up.
   */
  async #call(
    node: RedisNode,
    calls: Calls,
    late?: (replies: readonly Reply[]) => void,
  ): Promise<readonly Reply[] | undefined> {
    let isGivenUp = false
    const isAlone = node === this.#redis.only
    const outcome = await node.run(async (client) => {
      const replies = await (isAlone ? callAtOnce(client, calls) : callEach(client, calls))
      if (isGivenUp) late?.(replies)
      return replies
    })
    isGivenUp = !outcome.ok
    if (!outcome.ok) return undefined
    for (const reply of outcome.value) {
      if (reply instanceof Error) this.#redis.heed(reply)
      else if (Buffer.isBuffer(reply)) this.#redis.heed(new Error(reply.toString()))
    }
    return outcome.value
  }
}

/** Text where the client was told `stringNumbers`; what went wrong is a Buffer. */
const isNumber = (reply: unknown): boolean => typeof reply === 'number' || typeof reply === 'string'
const isOne = (reply: unknown): boolean => Number(reply) === 1

const claimed = (reply: Reply | undefined): Claimed | undefined =>
  Array.isArray(reply)
    ? { isOwner: isOne(reply[0]), bytes: (reply[1] ?? undefined) as Buffer | undefined }
    : undefined

/** Namespaces on one client send together. */
const shared = new WeakMap<GuardedRedis, RedisBatches>()

export function batchesOf(redis: GuardedRedis): RedisBatches {
  let batches = shared.get(redis)
  if (batches === undefined) {
    batches = new RedisBatches(redis)
    shared.set(redis, batches)
  }
  return batches
}
