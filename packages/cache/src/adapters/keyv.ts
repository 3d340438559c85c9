import { EventEmitter } from 'node:events'

import type { KeyvEntry, KeyvStoreAdapter, StoredData } from 'keyv'

import type { Cache } from '../cache.js'
import { branchTag, branchTags } from './branch-tags.js'
import type { CacheSource, LentCache } from './lent-cache.js'
import { lentCache } from './lent-cache.js'

export type { CacheSource }

/**
 * A Keyv store over a cache. What one process sets, deletes or clears, every other process stops serving within its
 * `maxLag`, also from its own memory; clearing is one change, whatever the namespace holds.
 *
 * `set` is `Cache.put`: the later one stays, and whoever computes a value and then sets it may set what has meanwhile
 * become old, since Keyv has no way to say when it was read. Where that matters, use `getOrSet`.
 */
export class KeyvStore extends EventEmitter implements KeyvStoreAdapter {
  /** Keyv looks here whether the store can be walked through. */
  readonly opts: Record<string, unknown> = { dialect: 'redis', url: '' }
  /** Set by Keyv. */
  namespace: string | undefined
  readonly #lent: LentCache
  readonly #cache: Cache

  constructor(source: CacheSource) {
    super()
    this.#lent = lentCache(source)
    this.#cache = this.#lent.cache
  }

  async get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    return await this.#cache.get<StoredData<Value>>(key)
  }

  getMany<Value>(keys: string[]): Promise<StoredData<Value | undefined>[]> {
    return Promise.all(keys.map((key) => this.get<Value>(key)))
  }

  /** False: the log has taken no position for it, so nothing is stored. */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    if (ttl !== undefined && ttl < 0) return (await this.#cache.delete(key)) !== undefined
    const tags = branchTags(this.#cache, key)
    const own = this.#namespaceTag
    // Keys come without the namespace where Keyv is told so (`useKeyPrefix: false`).
    if (own !== undefined && !tags.includes(own)) tags.push(own)
    return (await this.#cache.put(key, value, { tags, ttl: ttl || 'afloat' })) !== undefined
  }

  /** Keyv hands on what comes back, one for each item, though the type that it gives says there is nothing. */
  setMany(items: KeyvEntry[]): Promise<void> {
    const set = Promise.all(items.map(({ key, value, ttl }) => this.set(key, value, ttl)))
    return set as unknown as Promise<void>
  }

  /** Whether it was there. */
  async delete(key: string): Promise<boolean> {
    return this.deleteMany([key])
  }

  /** Whether all of them were there. */
  async deleteMany(keys: string[]): Promise<boolean> {
    const had = await this.hasMany(keys)
    // Also where nothing was found: another process may just have set it.
    await this.#cache.deleteMany(keys)
    return had.every(Boolean)
  }

  async has(key: string): Promise<boolean> {
    return await this.#cache.has(key)
  }

  hasMany(keys: string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.has(key)))
  }

  /** Of the namespace; without one, of everything in the cache. */
  async clear(): Promise<void> {
    const tag = this.#namespaceTag
    await (tag === undefined ? this.#cache.clear() : this.#cache.invalidate([tag], 'clear'))
  }

  /** @throws CacheError 'cache.unavailable' where Redis or the log does not answer */
  iterator<Value>(namespace?: string): AsyncGenerator<(string | Awaited<Value> | undefined)[], void> {
    const tag = namespace && branchTag(this.#cache, `${namespace}:`)
    return this.#cache.entries<Awaited<Value>>(tag ? { tag } : {})
  }

  /** Closes a cache that was made of options; one that was given is its owner's. */
  disconnect(): Promise<void> {
    return this.#lent.end()
  }

  get #namespaceTag(): string | undefined {
    return this.namespace ? branchTag(this.#cache, `${this.namespace}:`) : undefined
  }
}

/**
 * @example const keyv = new Keyv({ store: keyvStore({ redis, namespace: 'sessions' }), namespace: 'web' })
 * @throws CacheError 'cache.bad-option'
 */
export const keyvStore = (source: CacheSource): KeyvStore => new KeyvStore(source)
