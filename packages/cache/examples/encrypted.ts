/** Who reads Redis learns nothing: values are locked, names are hashed, and large ones are compressed first. */
import { randomBytes } from 'node:crypto'

import { createCache } from '@tidemark/cache'
import { Redis } from 'ioredis'

const redis = new Redis(process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379')
const encrypt = { keys: [{ id: '2026-01', key: randomBytes(32) }], names: randomBytes(32) }
const options = { redis, namespace: 'patients', compress: { minBytes: 1_024 }, encrypt }
const [here, there] = [createCache(options), createCache(options)]

const letter = `Dear Ann, ${'the results are in. '.repeat(200)}`
await here.put('ann@example.org', { letter })

const [name = ''] = await redis.keys('*{patients:*')
const bytes = await redis.getBuffer(name)
console.log(name.includes('ann'), bytes!.includes('results'), bytes!.length < letter.length / 4)
// → false false true
const found = await there.get<{ letter: string }>('ann@example.org')
console.log(found?.letter === letter)
// → true

await Promise.all([here.close(), there.close()])
redis.disconnect()
