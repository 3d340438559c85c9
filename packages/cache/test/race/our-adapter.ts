import { redisLog } from '@tidemark/log'

import { createCache, guardRedis } from '../../src/index.js'
import type { GuardOptions } from '../../src/index.js'
import { cacheAdapter } from '../../src/testing/index.js'
import { clientOf } from './places.js'

/** Redis alone, of whatever kind: it keeps the values and numbers the invalidations. */
export const ourAdapter = (guard: GuardOptions = {}) =>
  cacheAdapter('tidemark', async ({ redisUrl, namespace }) => {
    const redis = clientOf(redisUrl)
    const follow = redisLog({ redis })
    const cache = createCache({ redis: guardRedis(redis, guard), follow, namespace })
    await cache.ready()
    return {
      cache,
      follow,
      async close() {
        await cache.close()
        await follow.stop()
        redis.disconnect()
      },
    }
  })
