/** Reads through to an origin; whoever changes it says so, and no process serves what that has overtaken. */
import { createCache } from '@tidemark/cache'
import { Redis } from 'ioredis'

const products = new Map([['42', { name: 'lamp', price: 10 }]])

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
const cache = createCache({ redis, namespace: 'read-through', policy: { ttl: '10m', grace: '1h' } })

const find = (id: string) =>
  cache.getOrSet({
    key: id,
    tags: [`product:${id}`],
    load: () => {
      console.log('asking the origin for', id)
      return products.get(id) ?? null
    },
  })

console.log(await find('42'))
// → asking the origin for 42
// → { name: 'lamp', price: 10 }
console.log(await find('42'))
// → { name: 'lamp', price: 10 }

products.set('42', { name: 'lamp', price: 12 })
await cache.invalidate(['product:42'])
console.log(await find('42'))
// → asking the origin for 42
// → { name: 'lamp', price: 12 }

await cache.close()
redis.disconnect()
