/** A driver for unstorage, and so for Nitro and Nuxt. */
import { unstorageDriver } from '@tidemark/cache/unstorage'
import { Redis } from 'ioredis'
import { createStorage } from 'unstorage'

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
const storage = createStorage({ driver: unstorageDriver({ redis, namespace: 'storage' }) })

await storage.setItem('users:ann', { visits: 1 }, { ttl: 60 })
console.log(await storage.getItem('users:ann'))
// → { visits: 1 }
console.log(await storage.getKeys('users'))
// → [ 'users:ann' ]
await storage.clear()
console.log(await storage.hasItem('users:ann'))
// → false

await storage.dispose()
redis.disconnect()
