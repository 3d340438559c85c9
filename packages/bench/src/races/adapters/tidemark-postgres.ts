import { createCache } from '@tidemark/cache'
import type { RaceAdapter } from '@tidemark/cache/testing'
import { cacheAdapter } from '@tidemark/cache/testing'
import { postgresLog } from '@tidemark/log'
import pg from 'pg'
import { connect } from '../../peers/connect.js'

/** The full promise: Postgres numbers the changes, Redis has the values and a copy of the log. Every setting as it comes. */
export const tidemarkPostgres = (postgresUrl: string): RaceAdapter =>
  cacheAdapter('tidemark, Postgres log', async ({ redisUrl, namespace }) => {
    const redis = connect(redisUrl)
    const pool = new pg.Pool({ connectionString: postgresUrl, max: 3 })
    pool.on('error', () => undefined)
    const follow = postgresLog({ postgres: pool, redis: redisUrl })
    const cache = createCache({ redis, follow, namespace })
    await cache.ready()
    return {
      cache,
      follow,
      async close() {
        await cache.close()
        await follow.stop()
        redis.disconnect()
        await pool.end()
      },
    }
  })
