import type { CacheDriver, CreateDriverResult, L2CacheDriver } from 'bentocache/types'

import type { Cache } from '../cache.js'
import { branchTags, clearBranch } from './branch-tags.js'
import type { CacheSource } from './lent-cache.js'
import { lentCache } from './lent-cache.js'

export type { CacheSource }

interface Parts {
  readonly cache: Cache
  readonly end: () => Promise<void>
  readonly prefix: string
}

/** A namespace in BentoCache's sense is a branch of the keys. */
class BentoDriver implements L2CacheDriver {
  readonly type = 'l2'
  readonly #parts: Parts
  readonly #cache: Cache
  readonly #branch: string

  constructor(parts: Parts) {
    this.#parts = parts
    this.#cache = parts.cache
    this.#branch = `${parts.prefix}:`
  }

  namespace(name: string): CacheDriver {
    return new BentoDriver({ ...this.#parts, prefix: this.#branch + name })
  }

  async get(key: string): Promise<string | undefined> {
    return await this.#cache.get<string>(this.#branch + key)
  }

  async pull(key: string): Promise<string | undefined> {
    const value = await this.get(key)
    await this.#cache.delete(this.#branch + key)
    return value
  }

  async set(key: string, value: string, ttl?: number): Promise<boolean> {
    const name = this.#branch + key
    const tags = branchTags(this.#cache, name)
    return (await this.#cache.put(name, value, { tags, ttl: ttl || 'afloat' })) !== undefined
  }

  clear(): Promise<void> {
    return clearBranch(this.#cache, this.#branch)
  }

  async delete(key: string): Promise<boolean> {
    const had = await this.#cache.has(this.#branch + key)
    await this.#cache.delete(this.#branch + key)
    return had
  }

  async deleteMany(keys: string[]): Promise<boolean> {
    await this.#cache.deleteMany(keys.map((key) => this.#branch + key))
    return true
  }

  disconnect(): Promise<void> {
    return this.#parts.end()
  }
}

/**
 * An L2 for BentoCache. The cache has a memory tier of its own, which needs no bus to be right: leave BentoCache's out.
 *
 * @example bentostore().useL2Layer(bentoDriver({ redis, namespace: 'bento' }))
 * @throws CacheError 'cache.bad-option', when BentoCache makes the driver
 */
export const bentoDriver = (source: CacheSource): CreateDriverResult<L2CacheDriver> => ({
  options: {},
  factory: ({ prefix = 'bentocache' }: { prefix?: string }) =>
    new BentoDriver({ ...lentCache(source), prefix }),
})
