import { createCache } from '@tidemark/cache'
import { cacheAdapter } from '@tidemark/cache/testing'
import { redisLog } from '@tidemark/log'
import { connect } from '../../peers/connect.js'

/** Redis alone: it keeps the values and numbers the invalidations. Every setting as it comes. */
export const tidemarkRedis = cacheAdapter('tidemark, Redis alone', async ({ redisUrl, namespace }) => {
  const redis = connect(redisUrl)
  const follow = redisLog({ redis: redisUrl })
  const cache = createCache({ redis, follow, namespace })
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
