import type { Cache } from '../cache.js'
import { createCache } from '../create-cache.js'
import type { CacheOptions } from '../options.js'

/** A cache to adapt, or what to make one of. */
export type CacheSource = Cache | CacheOptions

export interface LentCache {
  readonly cache: Cache
  /** Closes a cache that was made here; another is its owner's. */
  end(): Promise<void>
}

/** What is made here keeps values without a ttl for as long as they are afloat, as a store does. */
export function lentCache(source: CacheSource): LentCache {
  if (!('namespace' in source && 'put' in source)) {
    const cache = createCache({ ...source, policy: { ttl: 'afloat', ...source.policy } })
    return { cache, end: () => cache.close() }
  }
  return { cache: source, end: () => Promise.resolve() }
}
