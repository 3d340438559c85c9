import type { Driver, TransactionOptions } from 'unstorage'

import type { Cache } from '../cache.js'
import { branchTags, clearBranch } from './branch-tags.js'
import type { CacheSource } from './lent-cache.js'
import { lentCache } from './lent-cache.js'

export type { CacheSource }

export interface UnstorageOptions {
  /** For items that are set without one, in seconds like everything in unstorage. Default: for as long as they are afloat. */
  readonly ttl?: number
}

/**
 * An unstorage driver over a cache. Raw items go through the cache's codec: `'msgpack'`, the default, keeps bytes.
 *
 * @example const storage = createStorage({ driver: unstorageDriver({ redis, namespace: 'storage' }) })
 * @throws CacheError 'cache.bad-option'
 */
export function unstorageDriver(
  source: CacheSource,
  options: UnstorageOptions = {},
): Driver<UnstorageOptions, Cache> {
  const { cache, end } = lentCache(source)

  const get = async <T>(key: string): Promise<T | null> => (await cache.get<T>(key)) ?? null

  const set = async (key: string, value: unknown, asked: TransactionOptions | undefined): Promise<void> => {
    const seconds = (asked?.ttl as number | undefined) ?? options.ttl
    const ttl = seconds ? seconds * 1_000 : 'afloat'
    await cache.put(key, value, { ttl, tags: branchTags(cache, key) })
  }

  return {
    name: 'tidemark',
    options,
    flags: { ttl: true },
    getInstance: () => cache,
    hasItem: (key) => cache.has(key),
    getItem: (key) => get<string>(key),
    getItems: (items) => Promise.all(items.map(async ({ key }) => ({ key, value: await get<string>(key) }))),
    getItemRaw: (key) => get(key),
    setItem: set,
    async setItems(items, common) {
      await Promise.all(items.map(({ key, value, options: own }) => set(key, value, { ...common, ...own })))
    },
    setItemRaw: (key, value: unknown, asked) =>
      set(key, value instanceof Uint8Array ? Buffer.from(value) : value, asked),
    async removeItem(key) {
      await cache.delete(key)
    },
    // unstorage leaves the base out where it is the root.
    async getKeys(base: string | undefined) {
      const keys = new Set<string>()
      for await (const key of cache.keys({ prefix: base ?? '' })) keys.add(key)
      return [...keys]
    },
    clear: (base: string | undefined) => clearBranch(cache, base ?? ''),
    dispose: end,
  }
}
