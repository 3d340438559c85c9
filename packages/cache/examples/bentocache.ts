/** A second tier for BentoCache that needs no bus: leave its own memory tier out. */
import { bentoDriver } from '@tidemark/cache/bentocache'
import { BentoCache, bentostore } from 'bentocache'
import { Redis } from 'ioredis'

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
const driver = bentoDriver({ redis, namespace: 'bento' })
const bento = new BentoCache({ default: 'one', stores: { one: bentostore().useL2Layer(driver) } })

console.log(await bento.getOrSet({ key: '42', factory: () => ({ name: 'lamp' }), tags: ['products'] }))
// → { name: 'lamp' }
await bento.deleteByTag({ tags: ['products'] })
console.log(await bento.get({ key: '42' }))
// → undefined

await bento.disconnect()
redis.disconnect()
