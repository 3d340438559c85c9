/**
 * How fast the hit path is, beside a bare `Map` in the same run: `node --conditions=tidemark:source --import tsx
 * packages/cache/test/speed-l1.ts`. For orientation while working on it; packages/bench holds the figures that count.
 */

import { Follower, TideTable } from '@tidemark/tide'

import { createCache } from '../src/index.js'
import type { Tide } from '../src/index.js'

const follower = new Follower(new TideTable({ seed: 1 }))
const now = () => ({ monoMs: performance.now(), wallMs: Date.now() })
const tide: Tide = {
  follower,
  now,
  reach: () => Promise.resolve('reached'),
  head: () => Promise.resolve({ term: 1, position: 1 }),
}
follower.begin({ term: 1, nonce: 1 }, { position: 1, mark: 1 })
const beat = setInterval(() => follower.prove({ term: 1, nonce: 1 }, 1, now()), 200)
follower.prove({ term: 1, nonce: 1 }, 1, now())

const cache = createCache({ follow: tide, namespace: 'speed', policy: { ttl: '1h', maxLag: '10s' } })
const map = new Map<string, unknown>()
const keys: string[] = []
for (let i = 0; i < 10_000; i++) {
  const key = `product:${i}`
  keys.push(key)
  const value = { id: i, name: 'x'.repeat(100) }
  map.set(key, value)
  await cache.getOrSet({ key, tags: [key, 'product!all', 'product'], load: () => value })
}
const hot = keys[5_000]!
const request = { key: hot, tags: [hot], load: () => ({}) }
const tags = [hot]
const load = () => ({})
const loader = cache.defineLoader('product', { key: (id) => id, tags: () => tags, load })

// A zipf-like order of keys, made beforehand.
const order = new Uint32Array(1 << 20)
for (let i = 0; i < order.length; i++) order[i] = Math.floor(10_000 ** Math.random()) % 10_000

let sink: unknown
const rounds = 3_000_000
const cases: Record<string, () => Promise<void> | void> = {
  'Map.get, awaited': async () => {
    for (let i = 0; i < rounds; i++) sink = await map.get(hot)
  },
  'getOrSet, awaited, one request object': async () => {
    for (let i = 0; i < rounds; i++) sink = await cache.getOrSet(request)
  },
  'getOrSet, awaited, a request object each': async () => {
    for (let i = 0; i < rounds; i++) sink = await cache.getOrSet({ key: hot, tags, load })
  },
  'cache.get, awaited': async () => {
    for (let i = 0; i < rounds; i++) sink = await cache.get(hot)
  },
  'loader.get, awaited': async () => {
    for (let i = 0; i < rounds; i++) sink = await loader.get(hot)
  },
  'loader.get, sync': () => {
    for (let i = 0; i < rounds; i++) sink = loader.get(hot)
  },
  'Map.get, sync': () => {
    for (let i = 0; i < rounds; i++) sink = map.get(hot)
  },
  'getOrSet, sync': () => {
    for (let i = 0; i < rounds; i++) sink = cache.getOrSet({ key: hot, tags, load })
  },
  'hit, sync, fresh clocks': () => {
    for (let i = 0; i < rounds; i++) sink = cache.hit(hot)
  },
  'clocks alone': () => {
    for (let i = 0; i < rounds; i++) sink = now()
  },
  'Map.get, awaited, zipf': async () => {
    for (let i = 0; i < rounds; i++) sink = await map.get(keys[order[i & 0xfffff]!]!)
  },
  'getOrSet, awaited, zipf': async () => {
    for (let i = 0; i < rounds; i++)
      sink = await cache.getOrSet({ key: keys[order[i & 0xfffff]!]!, tags, load })
  },
}
const best = new Map<string, number>()
for (let round = 0; round < 4; round++)
  for (const [name, run] of Object.entries(cases)) {
    const startMs = performance.now()
    await run()
    best.set(name, Math.max(best.get(name) ?? 0, rounds / (performance.now() - startMs) / 1_000))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
for (const [name, figure] of best) console.log(`${name.padEnd(44)} ${figure.toFixed(1)} M/s`)
console.log(cache.stats().misses, sink === undefined)
clearInterval(beat)
