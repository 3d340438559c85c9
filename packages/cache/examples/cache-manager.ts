/** cache-manager over the Keyv store. NestJS takes the same: `CacheModule.register({ stores: [new Keyv({ store })] })`. */
import { keyvStore } from '@tidemark/cache/keyv'
import { createCache } from 'cache-manager'
import { Redis } from 'ioredis'
import { Keyv } from 'keyv'

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
const store = keyvStore({ redis, namespace: 'manager' })
const manager = createCache({ stores: [new Keyv({ store })], ttl: 60_000 })

const load = () => {
  console.log('loading')
  return Promise.resolve({ name: 'lamp' })
}
console.log(await manager.wrap('42', load))
// → loading
// → { name: 'lamp' }
console.log(await manager.wrap('42', load))
// → { name: 'lamp' }
await manager.del('42')
console.log(await manager.get('42'))
// → undefined

await manager.disconnect()
redis.disconnect()
