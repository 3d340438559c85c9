import { createKeyv as createRedisKeyv } from '@keyv/redis'
import type { RaceAdapter } from '@tidemark/cache/testing'
import { createCache } from 'cache-manager'
import { createKeyv } from 'cacheable'
import { ttlMs as byDefault } from '../../peers/peer.js'
import { Complaints } from '../complaints.js'

/** The stores of its own documentation: Keyv over cacheable's memory, Keyv over Redis. It has no bus and no tags. */
export const cacheManager: RaceAdapter = {
  name: 'cache-manager',
  offers: ['memory', 'redis', 'put'],
  open({ redisUrl, namespace }) {
    const cache = createCache({
      stores: [createKeyv({ ttl: byDefault, lruSize: 10_000 }), createRedisKeyv(redisUrl, { namespace })],
      ttl: byDefault,
    })
    const complaints = new Complaints()
    for (const store of cache.stores) store.on('error', complaints.note)
    return Promise.resolve({
      getOrSet: (key, load, { ttlMs = byDefault } = {}) => cache.wrap(key, load, ttlMs),
      invalidateKey: (key) => complaints.during(() => cache.del(key)),
      put: (key, value) => cache.set(key, value),
      close: () => cache.disconnect(),
    })
  },
}
