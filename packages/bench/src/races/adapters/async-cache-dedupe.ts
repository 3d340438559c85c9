import type { RaceAdapter } from '@tidemark/cache/testing'
import { createCache } from 'async-cache-dedupe'
import { connect } from '../../peers/connect.js'
import { ttlMs as byDefault } from '../../peers/peer.js'
import { Complaints } from '../complaints.js'

/** One storage, here Redis, with its references on, which are its tags. No memory, so no bus. */
export const asyncCacheDedupe: RaceAdapter = {
  name: 'async-cache-dedupe',
  offers: ['redis', 'tags', 'put'],
  open({ redisUrl, namespace }) {
    const redis = connect(redisUrl)
    const loads = new Map<string, () => Promise<unknown>>()
    const tagsOf = new Map<string, string[]>()
    const ttl = byDefault / 1_000
    const complaints = new Complaints()
    const silent = (): void => undefined
    const log = { debug: silent, warn: silent, error: complaints.note }
    const cache = createCache({
      ttl,
      storage: { type: 'redis', options: { client: redis, invalidation: true, log } },
    }).define(
      namespace,
      { serialize: (key: string) => key, references: (key: string) => tagsOf.get(key) ?? [] },
      (key: string) => loads.get(key)!(),
    )
    return Promise.resolve({
      getOrSet(key, load, { tags = [] } = {}) {
        loads.set(key, load)
        tagsOf.set(key, [...tags])
        return cache[namespace]!(key)
      },
      invalidateKey: (key) => complaints.during(() => cache.clear(namespace, key)),
      invalidateTag: (tag) => cache.invalidateAll(tag),
      put: (key, value) => cache.set(namespace, `${namespace}~${key}`, value, ttl),
      close() {
        redis.disconnect()
        return Promise.resolve()
      },
    })
  },
}
