import type { LiveFollower, LogEntry } from '@tidemark/log'

import type { Cache } from '../../cache.js'
import type { Offer, RaceAdapter, RaceInstance, RaceSetup } from './adapter.js'

export interface OpenedCache {
  readonly cache: Cache
  /** The log that it follows: to deliver steps to it once more. */
  readonly follow: Pick<LiveFollower, 'follower' | 'listen'>
  /** Ends what was opened, the cache too. */
  close(): Promise<unknown>
}

const offers: readonly Offer[] = ['memory', 'redis', 'bus', 'tags', 'many', 'clear', 'put', 'redelivery']

/**
 * Races for a cache of ours, set up as `open` does it: to see that your own set-up holds, and to compare it with others.
 *
 * @example
 *   cacheAdapter('tidemark', async ({ redisUrl, namespace }) => {
 *     const redis = new Redis(redisUrl)
 *     const follow = redisLog({ redis: redisUrl })
 *     const cache = createCache({ redis, follow, namespace })
 *     await cache.ready()
 *     return { cache, follow, close: async () => { await cache.close(); await follow.stop(); redis.disconnect() } }
 *   })
 */
export function cacheAdapter(name: string, open: (setup: RaceSetup) => Promise<OpenedCache>): RaceAdapter {
  return {
    name,
    offers,
    open: async (setup) => instanceOf(await open(setup)),
  }
}

function instanceOf({ cache, follow, close }: OpenedCache): RaceInstance {
  const heard: LogEntry[] = []
  const deafen = follow.listen((event) => {
    if (event.kind === 'applied') heard.push(event.entry)
  })
  return {
    getOrSet: (key, load, { ttlMs, tags = [] } = {}) =>
      cache.getOrSet({ key, tags, load, ...(ttlMs !== undefined && { ttl: ttlMs }) }),
    invalidateKey: (key) => cache.delete(key),
    invalidateTag: (tag) => cache.invalidate([tag]),
    getMany: async (keys, load) => await cache.getOrSetMany({ keys, load }),
    clear: () => cache.clear(),
    put: (key, value) => cache.put(key, value),
    redeliver() {
      for (const entry of heard.toReversed()) follow.follower.apply(entry)
      return Promise.resolve(heard.length)
    },
    async close() {
      deafen()
      await close()
    },
  }
}
