/** Nobody waits for a value that was there before: the old one is given, and the new one loaded behind it. */
import { createCache } from '@tidemark/cache'
import { Redis } from 'ioredis'

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
const cache = createCache({ redis, namespace: 'swr', policy: { grace: '1h', timeout: 0 } })

let version = 0
const read = () => cache.read({ key: 'report', tags: ['report'], load: () => ++version })

const first = await read()
console.log(first.value, first.from)
// → 1 load
await cache.invalidate(['report'])
const second = await read()
console.log(second.value, second.from)
// → 1 stale
while (cache.peek('report') !== 2) await new Promise((resolve) => setImmediate(resolve))
const third = await read()
console.log(third.value, third.from)
// → 2 l1

await cache.close()
redis.disconnect()
