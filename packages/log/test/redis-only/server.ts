import type { Epoch } from '@tidemark/tide'
import type { Redis } from 'ioredis'

import type { LogKeys } from '../../src/index.js'
import { logKeys } from '../../src/index.js'

/** An invalidation that some server has acknowledged: from then on whoever is proven there must know of it. */
export interface Promised {
  readonly tag: string
  readonly version: number
  readonly epoch: Epoch
  readonly position: number
}

/**
 * A server of the simulated world: a part of one real Redis under a prefix of its own. The script under test tells one
 * life of a server from the next by `master_replid`; one Redis has but one, so a new life is begun by making the clock
 * name another.
 */
export class Server {
  readonly keys: LogKeys
  isMaster: boolean
  isAlive = true
  /** All that was acknowledged here, and by those whose data this server took over, up to then. */
  promised: Promised[] = []
  readonly #redis: Redis
  readonly #saved: LogKeys

  constructor(redis: Redis, prefix: string, isMaster: boolean) {
    this.#redis = redis
    this.keys = logKeys(prefix)
    this.#saved = logKeys(`${prefix}-saved`)
    this.isMaster = isMaster
  }

  async #copy(from: LogKeys, to: LogKeys): Promise<void> {
    await this.#redis.del(to.log, to.clock)
    await this.#redis.copy(from.log, to.log)
    await this.#redis.copy(from.clock, to.clock)
  }

  async #beginLife(): Promise<void> {
    if (await this.#redis.exists(this.keys.clock))
      await this.#redis.hset(this.keys.clock, 's', 'another life')
  }

  save(): Promise<void> {
    return this.#copy(this.keys, this.#saved)
  }

  /** Crashes and comes back with what it had saved, or with nothing. */
  async restart(withData: boolean): Promise<void> {
    if (withData) await this.#copy(this.#saved, this.keys)
    else await this.lose('log', 'clock')
    await this.#beginLife()
  }

  async lose(...what: readonly ('log' | 'clock')[]): Promise<void> {
    await this.#redis.del(...what.map((key) => this.keys[key]))
  }

  /** Cuts the stream to its newest entries. */
  async trim(keep: number): Promise<void> {
    await this.#redis.xtrim(this.keys.log, 'MAXLEN', keep)
  }

  /** The newest entry is lost alone, as by a hand. */
  async loseNewest(): Promise<void> {
    const [newest] = await this.#redis.xrevrange(this.keys.log, '+', '-', 'COUNT', 1)
    if (newest !== undefined) await this.#redis.xdel(this.keys.log, newest[0])
  }

  /** What replication has brought so far: all that the master had at that moment. */
  replicate(master: Server): Promise<void> {
    return this.#copy(master.keys, this.keys)
  }

  /** What the old master had acknowledged counts here too, whether replication had brought it or not. */
  async promote(old: Server): Promise<void> {
    this.promised = [...old.promised]
    this.isMaster = true
    this.isAlive = true
    await this.#beginLife()
  }

  async demote(master: Server): Promise<void> {
    this.isMaster = false
    this.isAlive = true
    await this.replicate(master)
  }
}
