import { createKeyv as createRedisKeyv } from '@keyv/redis'
import { RedisMessageProvider } from '@qified/redis'
import type { RaceAdapter } from '@tidemark/cache/testing'
import { Cacheable, createKeyv } from 'cacheable'
import { ttlMs as byDefault } from '../../peers/peer.js'
import { Complaints } from '../complaints.js'
import { recordBus } from '../recorded-bus.js'

/** Its own memory store, Redis through @keyv/redis, its bus, its tags. `getOrSet` takes no tags: those are set by hand. */
export const cacheable: RaceAdapter = {
  name: 'cacheable',
  offers: ['memory', 'redis', 'bus', 'tags', 'clear', 'put', 'redelivery'],
  async open({ redisUrl, namespace }) {
    const provider = new RedisMessageProvider({ uri: redisUrl })
    await provider.connect()
    const recorded = await recordBus(redisUrl)
    const cache = new Cacheable({
      namespace,
      primary: createKeyv({ ttl: byDefault, lruSize: 10_000 }),
      secondary: createRedisKeyv(redisUrl, { namespace }),
      sync: { qified: provider, namespace },
      ttl: byDefault,
      stats: false,
      tags: true,
    })
    const complaints = new Complaints()
    cache.on('error', complaints.note)
    return {
      async getOrSet(key, load, { ttlMs = byDefault, tags } = {}) {
        if (tags === undefined) return cache.getOrSet(key, load, { ttl: ttlMs })
        const held = await cache.get(key)
        if (held !== undefined) return held
        const value = await load()
        await cache.set(key, value, { ttl: ttlMs, tags: [...tags] })
        return value
      },
      invalidateKey: (key) => complaints.during(() => cache.delete(key)),
      invalidateTag: (tag) => cache.tags.invalidateTag(tag),
      clear: () => cache.clear(),
      put: (key, value) => cache.set(key, value),
      redeliver: () => recorded.redeliver(),
      async close() {
        recorded.close()
        await cache.disconnect()
        await provider.disconnect()
      },
    }
  },
}
