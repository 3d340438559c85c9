import type { RaceAdapter } from '@tidemark/cache/testing'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { connect } from '../../peers/connect.js'
import { ttlMs as byDefault } from '../../peers/peer.js'
import { recordBus } from '../recorded-bus.js'

/**
 * ioredis as for everyone, the bus of its documentation on a connection of its own. A deletion that Redis refuses is not
 * suppressed. Memory serialises, as by default: without that a value that came from Redis cannot be read from memory.
 */
export const bentocache: RaceAdapter = {
  name: 'bentocache',
  offers: ['memory', 'redis', 'bus', 'tags', 'clear', 'put', 'redelivery'],
  async open({ redisUrl, namespace }) {
    const redis = connect(redisUrl)
    const { hostname: host, port } = new URL(redisUrl)
    const recorded = await recordBus(redisUrl)
    const cache = new BentoCache({
      default: 'all',
      prefix: namespace,
      ttl: byDefault,
      stores: {
        all: bentostore()
          .useL1Layer(memoryDriver({ maxItems: 10_000 }))
          .useL2Layer(redisDriver({ connection: redis }))
          .useBus(redisBusDriver({ connection: { host, port: Number(port) } })),
      },
    })
    return {
      getOrSet: (key, load, { ttlMs, tags } = {}) =>
        cache.getOrSet({ key, factory: load, ttl: ttlMs ?? byDefault, ...(tags && { tags: [...tags] }) }),
      invalidateKey: (key) => cache.delete({ key, suppressL2Errors: false }),
      invalidateTag: (tag) => cache.deleteByTag({ tags: [tag] }),
      clear: () => cache.clear(),
      put: (key, value) => cache.set({ key, value }),
      redeliver: () => recorded.redeliver(),
      async close() {
        recorded.close()
        await cache.disconnectAll()
      },
    }
  },
}
