/**
 * What goes to Redis, one batch for a turn of the event loop and a server: one MGET for all reads, one pipeline for all
 * claims, stores and releases, of all namespaces on the client. On a Cluster one MGET cannot span slots, so there the
 * reads, too, are a pipeline for each server. A value and its lease lie in one slot.
 *
 * A claim is two commands in order, `SET lease NX PX` and `GET value`: whoever gets the lease sees the value that the
 * holder before it stored, so that nobody loads what has just been loaded.
 */

import type { ChainableCommander } from 'ioredis'

import { TickBatch } from '../tick-batch.js'
import type { GuardedRedis } from './guarded-redis.js'
import type { Guarded, RedisNode } from './redis-node.js'
import type { Script } from './scripts.js'
import { releaseScript, storeScript } from './scripts.js'

export interface Claim {
  readonly isOwner: boolean
  readonly bytes: Buffer | undefined
}

type Bytes = Guarded<Buffer | undefined>

interface Read {
  readonly key: string
  readonly settle: (bytes: Bytes) => void
}

interface Write {
  /** Its server is to be sent this. */
  readonly key: string
  readonly add: (pipeline: ChainableCommander) => void
  readonly commands: number
  readonly settle: (replies: Guarded<readonly Reply[]>) => void
  /** It was carried out after all, long after `settle` had been told of trouble. */
  readonly late?: (() => void) | undefined
}

type Reply = readonly [error: Error | null, value: unknown]

const maxKeysPerRead = 512
const maxWritesPerPipeline = 256

export class RedisBatches {
  readonly #redis: GuardedRedis
  readonly #reads: TickBatch<Read>
  readonly #writes: TickBatch<Write>

  constructor(redis: GuardedRedis) {
    this.#redis = redis
    this.#reads = new TickBatch((reads) => {
      this.#toNodes(reads, this.#sendReads)
    }, maxKeysPerRead)
    this.#writes = new TickBatch((writes) => {
      this.#toNodes(writes, this.#sendWrites)
    }, maxWritesPerPipeline)
  }

  read(key: string): Promise<Bytes> {
    return new Promise((settle) => {
      this.#reads.add({ key, settle })
    })
  }

  async claim(valueKey: string, leaseKey: string, owner: string, leaseMs: number): Promise<Guarded<Claim>> {
    const replies = await this.#write(
      leaseKey,
      2,
      (pipeline) => {
        pipeline.set(leaseKey, owner, 'PX', leaseMs, 'NX').getBuffer(valueKey)
      },
      // A hung Redis carries it out when it wakes: a lease that its owner does not know of must not stand.
      () => {
        this.release(leaseKey, owner)
      },
    )
    if (!replies.ok) return replies
    const [lease, value] = replies.value
    if (lease?.[0] != null) return { ok: false }
    const isOwner = lease?.[1] === 'OK'
    const bytes = bytesOf(value!)
    if (!bytes.ok) {
      if (isOwner) this.release(leaseKey, owner)
      return bytes
    }
    return { ok: true, value: { isOwner, bytes: bytes.value } }
  }

  /** True: stored; false: what is there is newer. */
  async store(
    valueKey: string,
    leaseKey: string,
    envelope: Buffer,
    lifeMs: number,
    owner = '',
  ): Promise<Guarded<boolean>> {
    const reply = await this.#script(
      storeScript,
      [valueKey, leaseKey],
      [envelope, Math.max(1, Math.ceil(lifeMs)), owner],
    )
    return reply.ok ? { ok: true, value: reply.value === 1 } : reply
  }

  release(leaseKey: string, owner: string): void {
    void this.#script(releaseScript, [leaseKey], [owner])
  }

  async #script(
    script: Script,
    keys: string[],
    args: (string | number | Buffer)[],
  ): Promise<Guarded<unknown>> {
    const send = (asSource: boolean): Promise<Guarded<readonly Reply[]>> =>
      this.#write(keys[0]!, 1, (pipeline) => {
        if (asSource) pipeline.eval(script.source, keys.length, ...keys, ...args)
        else pipeline.evalsha(script.sha, keys.length, ...keys, ...args)
      })
    let replies = await send(false)
    if (replies.ok && replies.value[0]?.[0]?.message.startsWith('NOSCRIPT') === true)
      replies = await send(true)
    if (!replies.ok) return replies
    const [error, value] = replies.value[0]!
    return error === null ? { ok: true, value } : { ok: false }
  }

  #write(
    key: string,
    commands: number,
    add: (pipeline: ChainableCommander) => void,
    late?: () => void,
  ): Promise<Guarded<readonly Reply[]>> {
    return new Promise((settle) => {
      this.#writes.add({ key, add, commands, settle, late })
    })
  }

  /** Each server's part of `items`. */
  #toNodes<Item extends { key: string }>(
    items: Item[],
    send: (node: RedisNode, items: Item[]) => Promise<void>,
  ): void {
    const { only } = this.#redis
    if (only !== undefined) {
      void send(only, items)
      return
    }
    const opening = this.#redis.opening()
    if (opening !== undefined) {
      void opening.then(() => {
        this.#toNodes(items, send)
      })
      return
    }
    const parts = new Map<RedisNode, Item[]>()
    for (const item of items) {
      const node = this.#redis.nodeOf(item.key)
      const part = parts.get(node)
      if (part === undefined) parts.set(node, [item])
      else part.push(item)
    }
    for (const [node, part] of parts) void send(node, part)
  }

  readonly #sendReads = async (node: RedisNode, reads: Read[]): Promise<void> => {
    const keys = reads.map(({ key }) => key)
    if (node === this.#redis.only) {
      const replies = await node.run((client) => client.mgetBuffer(keys))
      for (let i = 0; i < reads.length; i++)
        reads[i]!.settle(replies.ok ? { ok: true, value: replies.value[i] ?? undefined } : replies)
      return
    }
    const replies = await node.run((client) => {
      const pipeline = client.pipeline()
      for (const key of keys) pipeline.getBuffer(key)
      return pipeline.exec() as Promise<Reply[]>
    })
    if (replies.ok) this.#heed(replies.value)
    for (let i = 0; i < reads.length; i++) reads[i]!.settle(replies.ok ? bytesOf(replies.value[i]!) : replies)
  }

  readonly #sendWrites = async (node: RedisNode, writes: Write[]): Promise<void> => {
    let isGivenUp = false
    const replies = await node.run(async (client) => {
      const pipeline = client.pipeline()
      for (const write of writes) write.add(pipeline)
      const all = (await pipeline.exec()) as Reply[]
      if (isGivenUp) for (const write of writes) write.late?.()
      return all
    })
    isGivenUp = !replies.ok
    if (replies.ok) this.#heed(replies.value)
    let at = 0
    for (const write of writes) {
      write.settle(replies.ok ? { ok: true, value: replies.value.slice(at, at + write.commands) } : replies)
      at += write.commands
    }
  }

  #heed(replies: readonly Reply[]): void {
    for (const [error] of replies) if (error !== null) this.#redis.heed(error)
  }
}

/** A key of another type is no value: MGET says nil for it, GET an error; the store will go over it. */
function bytesOf([error, value]: Reply): Bytes {
  if (error === null) return { ok: true, value: (value ?? undefined) as Buffer | undefined }
  return error.message.startsWith('WRONGTYPE') ? { ok: true, value: undefined } : { ok: false }
}

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
