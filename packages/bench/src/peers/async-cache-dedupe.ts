import { createCache } from 'async-cache-dedupe'
import { connect } from './connect.js'
import type { Peer } from './peer.js'
import { ttlMs } from './peer.js'

/** One storage each, memory or Redis; a plain `serialize` spares it the stable stringify of the key. */
export const asyncCacheDedupe: Peer = {
  name: 'async-cache-dedupe',
  kind: 'cache',
  tiers: ['l1', 'l2'],
  hasBus: false,
  open({ tiers, redisUrl, entries, load }) {
    const redis = tiers === 'l1' ? undefined : connect(redisUrl)
    const cache = createCache({
      ttl: ttlMs / 1_000,
      storage: redis
        ? { type: 'redis', options: { client: redis } }
        : { type: 'memory', options: { size: entries } },
    }).define('value', { serialize: (key: string) => key }, load)
    return Promise.resolve({
      get: (key) => cache.value(key),
      close: async () => redis?.disconnect(),
    })
  },
}
