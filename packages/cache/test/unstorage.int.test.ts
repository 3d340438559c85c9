/** What unstorage asks of its own drivers (test/drivers/utils.ts there), and what this one promises beside. */
import { eventually, redisSpace } from '@tidemark/testkit'
import type { Redis } from 'ioredis'
import type { Storage } from 'unstorage'
import { createStorage, restoreSnapshot, snapshot } from 'unstorage'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { unstorageDriver } from '../src/adapters/unstorage.js'
import type { Cache } from '../src/index.js'
import { createCache } from '../src/index.js'
import { connect } from './real-redis.js'

const { url, prefix } = redisSpace()
let redis: Redis
let caches: Cache[]
let storage: Storage
/** Of another process. */
let other: Storage

beforeAll(async () => {
  redis = await connect(url)
  caches = [0, 1].map(() => createCache({ redis, prefix, namespace: 'storage', codec: 'msgpack' }))
  await Promise.all(caches.map((cache) => cache.ready()))
  ;[storage, other] = caches.map((cache) => createStorage({ driver: unstorageDriver(cache) })) as [
    Storage,
    Storage,
  ]
})
afterEach(() => storage.clear())

/** unstorage passes on only the clearing of whole mounts. */
const clearPart = (base: string) => Promise.resolve(unstorageDriver(caches[0]!).clear!(base, {}))

afterAll(async () => {
  for (const cache of caches) await cache.close()
  redis.disconnect()
})

describe('what unstorage asks of a driver', () => {
  test('nothing is there at first', async () => {
    expect(await storage.hasItem('s1:a')).toBe(false)
    expect(await storage.getItem('s2:a')).toBeNull()
    expect(await storage.getItemRaw('s2:a')).toBeNull()
    expect(await storage.getKeys()).toEqual([])
    await storage.removeItem('s1:a')
  })

  test('items are set, read, listed and removed', async () => {
    for (const key of ['s1:a', 's2:a', 's3:a?q=1']) await storage.setItem(key, 'test_data')
    expect(await storage.hasItem('s1:a')).toBe(true)
    expect(await storage.getItem('s3:a?q=2')).toBe('test_data')
    expect((await storage.getKeys()).sort()).toEqual(['s1:a', 's2:a', 's3:a'])
    expect(await storage.getKeys('s1')).toEqual(['s1:a'])
    await storage.removeItem('s1:a')
    expect((await storage.getKeys()).sort()).toEqual(['s2:a', 's3:a'])
  })

  test('keys down to a depth', async () => {
    const keys = ['depth0_0', 'depth0:depth1_0', 'depth0:depth1:depth2_0', 'depth0:depth1:depth2_1']
    for (const key of keys) await storage.setItem(key, 'x')
    expect(await storage.getKeys(undefined, { maxDepth: 0 })).toEqual(['depth0_0'])
    expect((await storage.getKeys(undefined, { maxDepth: 1 })).sort()).toEqual([
      'depth0:depth1_0',
      'depth0_0',
    ])
    expect((await storage.getKeys('depth0:depth1')).sort()).toEqual(keys.slice(2))
  })

  test('objects, primitives, and what says toJSON; anything else is refused', async () => {
    await storage.setItem('/data/test.json', { json: 'works' })
    expect(await storage.getItem('/data/test.json')).toEqual({ json: 'works' })
    for (const value of [true, false, 0]) {
      await storage.setItem('primitive', value)
      expect(await storage.getItem('primitive')).toBe(value)
    }
    await storage.setItem('lossy', { toJSON: () => 'SERIALIZED' })
    expect(await storage.getItem('lossy')).toBe('SERIALIZED')
    await expect(storage.setItem('bad', new URLSearchParams())).rejects.toThrow('Cannot stringify value!')
  })

  test('bytes come back as they went in, also in another process', async () => {
    const bytes = new Uint8Array([0, 1, 2, 255])
    await storage.setItemRaw('/data/raw.bin', bytes)
    expect(await storage.getItemRaw('/data/raw.bin')).toEqual(Buffer.from(bytes))
    await eventually(async () => expect(await other.getItemRaw('/data/raw.bin')).toEqual(Buffer.from(bytes)))
  })

  test('many at once, in the order asked for', async () => {
    await storage.setItems([
      { key: 't:1', value: 'one' },
      { key: 't:2', value: 'two' },
    ])
    expect(await storage.getItems(['t:2', { key: 't:1' }, 't:none'])).toEqual([
      { key: 't:2', value: 'two' },
      { key: 't:1', value: 'one' },
      { key: 't:none', value: null },
    ])
  })

  test('snapshots, clearing twice, clearing a part', async () => {
    await restoreSnapshot(storage, { 'a:1': 'x', 'a:b:2': 'y', 'c:3': 'z' })
    expect(await snapshot(storage, '')).toEqual({ 'a:1': 'x', 'a:b:2': 'y', 'c:3': 'z' })
    await clearPart('a:')
    expect(await storage.getKeys()).toEqual(['c:3'])
    await storage.removeItem('c:3')
    await storage.clear()
    await storage.clear()
    expect(await storage.getKeys()).toEqual([])
  })
})

describe('what this driver promises', () => {
  test('another process sees what is set, removed and cleared, also where it holds a copy', async () => {
    const sees = (key: string, value: unknown) =>
      eventually(async () => expect(await other.getItem(key)).toEqual(value))
    await storage.setItem('a:k', 1)
    await sees('a:k', 1)
    await storage.setItem('a:k', 2)
    await sees('a:k', 2)
    await storage.removeItem('a:k')
    await sees('a:k', null)
    await storage.setItem('a:k', 3)
    await sees('a:k', 3)
    await clearPart('a:')
    await sees('a:k', null)
  })

  test('clearing a part is one change, however many items it holds', async () => {
    await storage.setItems(Array.from({ length: 50 }, (_, i) => ({ key: `part:${i}`, value: i })))
    const before = await caches[0]!.invalidate(['nothing'])
    await clearPart('part:')
    const after = await caches[0]!.invalidate(['nothing'])
    expect(after!.position - before!.position).toBe(2)
    expect(await storage.getKeys()).toEqual([])
  })

  test('a ttl is in seconds, of the item or of the driver', async () => {
    const ttlLeft = async (key: string) => (await caches[0]!.explain(key)).l1!.ttlLeftMs
    await storage.setItem('k', 1, { ttl: 60 })
    expect(Math.ceil((await ttlLeft('k')) / 60_000)).toBe(1)
    const hourly = createStorage({ driver: unstorageDriver(caches[0]!, { ttl: 3_600 }) })
    await hourly.setItem('k', 1)
    expect(Math.ceil((await ttlLeft('k')) / 3_600_000)).toBe(1)
    await storage.setItem('k', 1)
    expect(await ttlLeft('k')).toBeGreaterThan(1e12)
  })

  test('a part that lies too deep to be cleared by one change is refused, not forgotten', async () => {
    const deep = Array.from({ length: 20 }, (_, i) => `l${i}`).join(':')
    await storage.setItem(deep, 'x')
    expect(await storage.getItem(deep)).toBe('x')
    await expect(clearPart(deep.slice(0, -3))).rejects.toMatchObject({ code: 'cache.bad-option' })
  })
})
