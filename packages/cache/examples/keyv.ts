/** A store for Keyv, and so for whatever takes one: got, Apollo Server, cacheable. */
import { keyvStore } from '@tidemark/cache/keyv'
import { Redis } from 'ioredis'
import { Keyv } from 'keyv'

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
const store = keyvStore({ redis, namespace: 'keyv' })
const keyv = new Keyv({ store, namespace: 'sessions' })

await keyv.set('ann', { visits: 1 }, 60_000)
console.log(await keyv.get('ann'))
// → { visits: 1 }
for await (const [key, value] of keyv.iterator!(undefined)) console.log(key, value)
// → ann { visits: 1 }
await keyv.clear()
console.log(await keyv.has('ann'))
// → false

await keyv.disconnect()
redis.disconnect()
