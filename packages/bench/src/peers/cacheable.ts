import { createKeyv as createRedisKeyv } from '@keyv/redis'
import { RedisMessageProvider } from '@qified/redis'
import { Cacheable, createKeyv } from 'cacheable'
import type { Peer, Value } from './peer.js'
import { ttlMs } from './peer.js'

/** Its own memory store with LRU; Redis through @keyv/redis; for L2 alone Redis is the primary. No statistics. */
export const cacheable: Peer = {
  name: 'cacheable',
  kind: 'cache',
  tiers: ['l1', 'l2', 'l1+l2'],
  hasBus: true,
  async open({ tiers, bus, redisUrl, entries, load }) {
    const memory = () => createKeyv({ ttl: ttlMs, lruSize: entries })
    const provider = bus ? new RedisMessageProvider({ uri: redisUrl }) : undefined
    await provider?.connect()
    const cache = new Cacheable({
      primary: tiers === 'l2' ? createRedisKeyv(redisUrl) : memory(),
      ...(tiers === 'l1+l2' && { secondary: createRedisKeyv(redisUrl) }),
      ...(provider && { sync: { qified: provider } }),
      ttl: ttlMs,
      stats: false,
    })
    return {
      get: (key) => cache.getOrSet<Value>(key, () => load(key)),
      invalidate: (key) => cache.delete(key),
      close: () => cache.disconnect(),
    }
  },
}
