import { LRUCache } from 'lru-cache'
import type { Peer, Value } from './peer.js'
import { ttlMs } from './peer.js'

/** With a bound and a ttl, as a cache needs them; no shared loads. */
export const lruCache: Peer = {
  name: 'lru-cache',
  kind: 'floor',
  tiers: ['l1'],
  hasBus: false,
  open({ entries, load }) {
    const cache = new LRUCache<string, Value>({ max: entries, ttl: ttlMs })
    return Promise.resolve({
      get: (key) => cache.get(key) ?? load(key).then((value) => (cache.set(key, value), value)),
      close: () => Promise.resolve(),
    })
  },
}
