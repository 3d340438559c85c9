import { createKeyv as createRedisKeyv } from '@keyv/redis'
import { createCache } from 'cache-manager'
import { createKeyv } from 'cacheable'
import type { Peer } from './peer.js'
import { ttlMs } from './peer.js'

/** The stores of its own documentation: Keyv over cacheable's memory (nothing is serialised), Keyv over Redis. */
export const cacheManager: Peer = {
  name: 'cache-manager',
  kind: 'cache',
  tiers: ['l1', 'l2', 'l1+l2'],
  hasBus: false,
  open({ tiers, redisUrl, entries, load }) {
    const cache = createCache({
      stores: [
        ...(tiers === 'l2' ? [] : [createKeyv({ ttl: ttlMs, lruSize: entries })]),
        ...(tiers === 'l1' ? [] : [createRedisKeyv(redisUrl)]),
      ],
      ttl: ttlMs,
    })
    return Promise.resolve({
      get: (key) => cache.wrap(key, () => load(key)),
      invalidate: (key) => cache.del(key),
      close: () => cache.disconnect(),
    })
  },
}
