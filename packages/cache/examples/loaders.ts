/** How a kind of value is loaded, said once; many are loaded in one go. */
import { createCache } from '@tidemark/cache'
import { Redis } from 'ioredis'

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
const cache = createCache({ redis, namespace: 'loaders' })

const users = cache.defineLoader('user', {
  ttl: '5m',
  tags: (id) => [`user:${id}`],
  load: (id) => ({ id, name: `user ${id}` }),
  loadMany: (ids) => {
    console.log('one query for', ids)
    return new Map(ids.map((id) => [id, { id, name: `user ${id}` }]))
  },
})

console.log(await users.get('1'))
// → { id: '1', name: 'user 1' }
console.log([...(await users.getMany(['1', '2', '3'])).keys()])
// → one query for [ '2', '3' ]
// → [ '1', '2', '3' ]
console.log(users.peek('2'))
// → { id: '2', name: 'user 2' }

await cache.close()
redis.disconnect()
