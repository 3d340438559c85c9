/** Values that belong to somebody: there is no way to them but through their owner. */
import { createPrivateCache } from '@tidemark/cache'
import { Redis } from 'ioredis'

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
const baskets = createPrivateCache({ redis, namespace: 'baskets' })

const basketOf = (owner: string) =>
  baskets.for(owner).getOrSet({ key: 'current', load: () => ({ owner, items: [] }) })

console.log(await basketOf('ann'))
// → { owner: 'ann', items: [] }
console.log(await baskets.for('bob').get('current'))
// → undefined
await baskets.for('ann').clear()
console.log(await baskets.for('ann').get('current'))
// → undefined

await baskets.close()
redis.disconnect()
