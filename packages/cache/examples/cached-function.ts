/** A function whose answers are kept: no decorator, no class, the same types. */
import { cached, createCache } from '@tidemark/cache'
import { Redis } from 'ioredis'

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
const cache = createCache({ redis, namespace: 'cached' })

const search = (word: string, page: number): Promise<string[]> => {
  console.log('searching', word, page)
  return Promise.resolve([`${word} ${page}`])
}
const cachedSearch = cached(cache, search, { name: 'search', ttl: '1m', tags: (word) => [`word:${word}`] })

console.log(await cachedSearch('lamp', 1))
// → searching lamp 1
// → [ 'lamp 1' ]
console.log(await cachedSearch('lamp', 1))
// → [ 'lamp 1' ]
await cache.invalidate(['word:lamp'])
console.log(await cachedSearch('lamp', 1))
// → searching lamp 1
// → [ 'lamp 1' ]

await cache.close()
redis.disconnect()
