/** Many keys: one read of Redis, one load for those that are missing, each value fenced by itself. */
import { createCache } from '@tidemark/cache'
import { Redis } from 'ioredis'

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
const cache = createCache({ redis, namespace: 'many' })

const pricesOf = (ids: readonly string[]) =>
  cache.getOrSetMany({
    keys: ids,
    tags: (id) => [`price:${id}`],
    load: (missing) => {
      console.log('one query for', missing)
      return new Map(missing.map((id) => [id, Number(id) * 10]))
    },
  })

console.log(await pricesOf(['1', '2']))
// → one query for [ '1', '2' ]
// → Map(2) { '1' => 10, '2' => 20 }
await cache.invalidate(['price:2'])
console.log(await pricesOf(['1', '2', '3']))
// → one query for [ '2', '3' ]
// → Map(3) { '1' => 10, '2' => 20, '3' => 30 }

await cache.close()
redis.disconnect()
