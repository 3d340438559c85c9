/**
 * How fast L2 is at 64 callers, beside bare ioredis in the same run: `node --conditions=tidemark:source --import tsx
 * packages/cache/test/speed-l2.ts redis://127.0.0.1:6379`. For orientation; packages/bench holds the figures that count.
 */

import { Redis } from 'ioredis'

import { createCache } from '../src/index.js'
import { handLog } from '../src/testing/index.js'

const callers = 64
const keyCount = 10_000
const roundMs = 500
const rounds = 10

const url = process.argv[2]
if (url === undefined) throw new Error('give the URL of a Redis that may be written to')
const redis = new Redis(url)
const bare = new Redis(url)
await Promise.all([redis.ping(), bare.ping()])
const prefix = `speed${process.pid}`
const tide = handLog()
const policy = { ttl: '1h', maxLag: '1h' }
const cache = createCache({ follow: tide, redis, prefix, namespace: 'n', l1: false, policy })
const value = { id: 1, name: 'x'.repeat(900), price: 1_299, stock: 7 }
const keyOf = () => `k${Math.floor(Math.random() * keyCount)}`
const tagsOf = (key: string) => [key, 'product!all']
const load = () => value

for (let i = 0; i < keyCount; i += 500) {
  const keys = Array.from({ length: 500 }, (_, k) => `k${i + k}`)
  for (const key of keys) cache.set(key, value, { stamp: cache.stamp(), tags: tagsOf(key) })
  await Promise.all(keys.map((key) => bare.set(`${prefix}:bare:${key}`, JSON.stringify(value), 'EX', 600)))
}

/** The best round of each: this machine has other work. */
const best = new Map<string, { perSecond: number; p99: number }>()

/** `one` again and again by so many callers; each call counts `weight`. */
async function measure(
  name: string,
  one: () => Promise<unknown>,
  callersNow = callers,
  weight = 1,
): Promise<void> {
  const tookMs: number[] = []
  const startMs = performance.now()
  const caller = async (): Promise<void> => {
    while (performance.now() - startMs < roundMs) {
      const askedMs = performance.now()
      await one()
      tookMs.push(performance.now() - askedMs)
    }
  }
  await Promise.all(Array.from({ length: callersNow }, caller))
  const perSecond = (tookMs.length * weight) / (performance.now() - startMs)
  tookMs.sort((a, b) => a - b)
  const p99 = tookMs[Math.floor(tookMs.length * 0.99)]!
  if (perSecond > (best.get(name)?.perSecond ?? 0)) best.set(name, { perSecond, p99 })
}

let fresh = 0
for (let round = 0; round < rounds; round++) {
  await measure('L2 hit: getOrSet', async () => {
    const key = keyOf()
    await cache.getOrSet({ key, tags: tagsOf(key), load })
  })
  await measure('bare ioredis: GET and JSON.parse', async () => {
    JSON.parse((await bare.get(`${prefix}:bare:${keyOf()}`))!)
  })
  await measure('bare ioredis: GET', () => bare.get(`${prefix}:bare:${keyOf()}`))
  await measure(
    'bare ioredis: MGET of 64 by one caller',
    () => bare.mgetBuffer(Array.from({ length: callers }, () => `${prefix}:bare:${keyOf()}`)),
    1,
    callers,
  )
  await measure('miss and fill, with lease', () => {
    const key = `m${fresh++}`
    return Promise.resolve(cache.getOrSet({ key, tags: tagsOf(key), ttl: '30s', load }))
  })
  await measure('miss and fill, no lease', () => {
    const key = `m${fresh++}`
    return Promise.resolve(cache.getOrSet({ key, tags: tagsOf(key), ttl: '30s', lease: 0, load }))
  })
  await measure('bare ioredis: GET, then SET PX', async () => {
    const key = `${prefix}:bare:m${fresh++}`
    await bare.get(key)
    await bare.set(key, JSON.stringify(value), 'PX', 30_000)
  })
}
for (const [name, { perSecond, p99 }] of best)
  console.log(`${name.padEnd(48)} ${perSecond.toFixed(0).padStart(5)} k/s  p99 ${p99.toFixed(2)} ms`)
const { loads, hitsL2, redisErrors, decodeFailures } = cache.stats()
console.log({ loads, hitsL2, redisErrors, decodeFailures })
redis.disconnect()
bare.disconnect()
