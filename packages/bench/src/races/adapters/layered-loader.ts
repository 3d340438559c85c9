import type { RaceAdapter } from '@tidemark/cache/testing'
import { createNotificationPair, Loader, RedisCache } from 'layered-loader'
import { connect } from '../../peers/connect.js'
import { ttlMs as byDefault } from '../../peers/peer.js'
import { Complaints } from '../complaints.js'
import { recordBus } from '../recorded-bus.js'

type Load = () => Promise<unknown>
type LoadMany = (missing: readonly string[]) => Promise<ReadonlyMap<string, unknown>>

interface Row {
  readonly key: string
  readonly value: unknown
}

/**
 * One loader for each ttl, since a loader has one; and one for `getMany`, whose values must tell their own key. All have
 * memory, Redis and notifications. What a call loads with is looked up by its key when the loader asks its source.
 */
export const layeredLoader: RaceAdapter = {
  name: 'layered-loader',
  offers: ['memory', 'redis', 'bus', 'many', 'clear', 'put', 'redelivery'],
  async open({ redisUrl, namespace }) {
    const loads = new Map<string, Load>()
    let loadMany: LoadMany = () => Promise.resolve(new Map())
    const redis = connect(redisUrl)
    const recorded = await recordBus(redisUrl)
    const opened: Loader<never>[] = []
    const complaints = new Complaints()

    const open = async <T>(name: string, ttlMs: number, source: object): Promise<Loader<T>> => {
      const pair = createNotificationPair<T>({
        channel: `${namespace}:${name}`,
        publisherRedis: connect(redisUrl),
        consumerRedis: connect(redisUrl),
      })
      const loader = new Loader<T>({
        inMemoryCache: { ttlInMsecs: ttlMs, maxItems: 10_000, cacheType: 'lru-object' },
        asyncCache: new RedisCache<T>(redis, {
          json: true,
          ttlInMsecs: ttlMs,
          prefix: `${namespace}:${name}`,
        }),
        notificationPublisher: pair.publisher,
        notificationConsumer: pair.consumer,
        cacheUpdateErrorHandler: complaints.note,
        ...source,
      })
      await loader.init()
      opened.push(loader as unknown as Loader<never>)
      return loader
    }
    const one = (ttlMs: number) =>
      open<unknown>(`ttl-${ttlMs}`, ttlMs, { dataSourceGetOneFn: (key: string) => loads.get(key)!() })
    const single = await one(byDefault)
    const byTtl = new Map<number, Promise<Loader<unknown>>>([[byDefault, Promise.resolve(single)]])
    const loaderFor = (ttlMs: number): Promise<Loader<unknown>> => {
      const known = byTtl.get(ttlMs) ?? one(ttlMs)
      byTtl.set(ttlMs, known)
      return known
    }
    const many = await open<Row>('many', byDefault, {
      cacheKeyFromValueResolver: ({ key }: Row) => key,
      dataSourceGetManyFn: async (keys: string[]) =>
        [...(await loadMany(keys))].map(([key, value]): Row => ({ key, value })),
    })

    return {
      async getOrSet(key, load, { ttlMs = byDefault } = {}) {
        loads.set(key, load)
        return (await loaderFor(ttlMs)).get(key)
      },
      invalidateKey: (key) =>
        complaints.during(() => Promise.all([single.invalidateCacheFor(key), many.invalidateCacheFor(key)])),
      async getMany(keys, load) {
        loadMany = load
        return new Map((await many.getMany([...keys])).map(({ key, value }) => [key, value]))
      },
      clear: () => single.invalidateCache(),
      put: (key, value) => single.forceSetValue(key, value),
      redeliver: () => recorded.redeliver(),
      async close() {
        recorded.close()
        for (const loader of opened) await loader.close()
        redis.disconnect()
      },
    }
  },
}
