import { connect } from './connect.js'
import { createNotificationPair, Loader, RedisCache } from 'layered-loader'
import type { Peer, Value } from './peer.js'
import { ttlMs } from './peer.js'

/** The synchronous short-circuit that its documentation gives for hot paths. It asks for Node 22; on 20 it runs. */
export const layeredLoader: Peer = {
  name: 'layered-loader',
  kind: 'cache',
  tiers: ['l1', 'l2', 'l1+l2'],
  hasBus: true,
  async open({ tiers, bus, redisUrl, entries, load }) {
    const redis = tiers === 'l1' ? undefined : connect(redisUrl)
    const pair = bus
      ? createNotificationPair<Value>({
          channel: 'bench',
          publisherRedis: connect(redisUrl),
          consumerRedis: connect(redisUrl),
        })
      : undefined
    const loader = new Loader<Value>({
      inMemoryCache:
        tiers === 'l2' ? false : { ttlInMsecs: ttlMs, maxItems: entries, cacheType: 'lru-object' },
      ...(redis && { asyncCache: new RedisCache<Value>(redis, { json: true, ttlInMsecs: ttlMs }) }),
      ...(pair && { notificationPublisher: pair.publisher, notificationConsumer: pair.consumer }),
      dataSourceGetOneFn: load,
    })
    await loader.init()
    return {
      get: (key) => loader.getInMemoryOnly(key) ?? loader.getAsyncOnly(key),
      invalidate: (key) => loader.invalidateCacheFor(key),
      async close() {
        await loader.close()
        redis?.disconnect()
      },
    }
  },
}
