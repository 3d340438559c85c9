import { createCache } from '@tidemark/cache'
import { createFlush, followLog, logDatabase, redisSink, requestClient } from '@tidemark/log'
import pg from 'pg'
import type { Peer, Value } from './peer.js'
import { ttlMs } from './peer.js'

const readyWithinMs = 10_000
const maxLagMs = 2_000

/** As the read service sets it up: a live follower of the log, a request client, default policy and codec. Its loader is said once, as theirs are. */
export const tidemark: Peer = {
  name: 'tidemark',
  kind: 'us',
  tiers: ['l1', 'l2', 'l1+l2'],
  hasBus: true,
  async open({ tiers, redisUrl, entries, load, log }) {
    const pool = new pg.Pool({ connectionString: log.postgresUrl, max: 3, statement_timeout: 5_000 })
    pool.on('error', () => undefined)
    const database = logDatabase(pool)
    const tide = followLog({ redis: { redis: log.redisUrl }, postgres: database, maxLagMs })
    await tide.start()
    const giveUpAt = performance.now() + readyWithinMs
    while (tide.status().lagMs > maxLagMs) {
      if (performance.now() > giveUpAt) throw new Error('the follower could not show its lag')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const redis = tiers === 'l1' ? undefined : requestClient({ url: redisUrl, name: 'bench' })
    if (redis !== undefined && redis.status !== 'ready')
      await new Promise((resolve) => redis.once('ready', resolve))
    const flush = createFlush({ log: database, sinks: [redisSink({ redis: log.redisUrl })] })
    const cache = createCache({
      follow: tide,
      namespace: 'bench',
      policy: { ttl: ttlMs },
      l1: tiers === 'l2' ? false : { maxEntries: entries, maxBytes: 2 ** 30 },
      ...(redis && { redis }),
    })
    const loader = cache.defineLoader<Value>('bench', { key: (id) => id, tags: (id) => [id], load })
    return {
      get: (key) => loader.get(key),
      /** An external invalidation, as the invalidation service records it, then the writer's flush. */
      async invalidate(key) {
        await pool.query(
          `INSERT INTO tidemark.outbox (resource, operation, tags, reason) VALUES ('-', 'invalidate', $1, 'bench')`,
          [[key]],
        )
        await flush.flush()
      },
      async close() {
        await cache.close()
        flush.stop()
        await tide.stop()
        redis?.disconnect()
        await pool.end()
      },
    }
  },
}
