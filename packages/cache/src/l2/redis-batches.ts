/**
 * What goes to Redis, one batch for a turn of the event loop: one MGET for all reads, one pipeline for all claims,
 * stores and releases, of all namespaces on the client.
 *
 * A claim is two commands in order, `SET lease NX PX` and `GET value`: whoever gets the lease sees the value that the
 * holder before it stored, so that nobody loads what has just been loaded.
 */

import type { ChainableCommander, Redis } from 'ioredis'

import { TickBatch } from '../tick-batch.js'
import type { Guarded, GuardedRedis } from './guarded-redis.js'
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
    this.#reads = new TickBatch((reads) => void this.#sendReads(reads), maxKeysPerRead)
    this.#writes = new TickBatch((writes) => void this.#sendWrites(writes), maxWritesPerPipeline)
  }

  read(key: string): Promise<Bytes> {
    return new Promise((settle) => {
      this.#reads.add({ key, settle })
    })
  }

  async claim(valueKey: string, leaseKey: string, owner: string, leaseMs: number): Promise<Guarded<Claim>> {
    const replies = await this.#write(
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
    if (value?.[0] != null && !value[0].message.startsWith('WRONGTYPE')) {
      if (isOwner) this.release(leaseKey, owner)
      return { ok: false }
    }
    // A key of another type is no value: MGET, too, says nil for it, and the store will go over it.
    const bytes = value?.[0] == null ? ((value?.[1] ?? undefined) as Buffer | undefined) : undefined
    return { ok: true, value: { isOwner, bytes } }
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
      this.#write(1, (pipeline) => {
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
    commands: number,
    add: (pipeline: ChainableCommander) => void,
    late?: () => void,
  ): Promise<Guarded<readonly Reply[]>> {
    return new Promise((settle) => {
      this.#writes.add({ add, commands, settle, late })
    })
  }

  async #sendReads(reads: Read[]): Promise<void> {
    const replies = await this.#redis.run((client: Redis) => client.mgetBuffer(reads.map(({ key }) => key)))
    for (let i = 0; i < reads.length; i++)
      reads[i]!.settle(replies.ok ? { ok: true, value: replies.value[i] ?? undefined } : replies)
  }

  async #sendWrites(writes: Write[]): Promise<void> {
    let isGivenUp = false
    const replies = await this.#redis.run(async (client: Redis) => {
      const pipeline = client.pipeline()
      for (const write of writes) write.add(pipeline)
      const all = (await pipeline.exec()) as Reply[]
      if (isGivenUp) for (const write of writes) write.late?.()
      return all
    })
    isGivenUp = !replies.ok
    let at = 0
    for (const write of writes) {
      write.settle(replies.ok ? { ok: true, value: replies.value.slice(at, at + write.commands) } : replies)
      at += write.commands
    }
  }
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
