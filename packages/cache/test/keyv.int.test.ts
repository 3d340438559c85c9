import { eventually, redisSpace } from '@tidemark/testkit'
import { createCache as createCacheManager } from 'cache-manager'
import type { Redis } from 'ioredis'
import { Keyv } from 'keyv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { keyvStore } from '../src/adapters/keyv.js'
import { createCache } from '../src/index.js'
import { handLog } from '../src/testing/index.js'
import { connect } from './real-redis.js'

const space = redisSpace()
const open: (() => Promise<void> | void)[] = []
let redis: Redis

beforeAll(async () => {
  redis = await connect(space.url)
})
afterAll(async () => {
  for (const close of open.reverse()) await close()
  redis.disconnect()
})

let namespaces = 0
/** Caches as in processes of their own: each with its memory and its follower. */
const world = () => {
  const options = { prefix: space.prefix, namespace: `keyv${++namespaces}` }
  return async () => {
    const cache = createCache({ ...options, redis })
    open.push(() => cache.close())
    await cache.ready()
    return cache
  }
}

async function entriesOf(keyv: Keyv): Promise<unknown[]> {
  const entries: [string, unknown][] = []
  for await (const entry of keyv.iterator!(undefined)) entries.push(entry as [string, unknown])
  return entries.sort()
}

describe('Keyv in two processes', () => {
  test('each sees what the other sets, deletes and clears, also where it holds a copy in memory', async () => {
    const process = world()
    const [a, b] = [new Keyv(keyvStore(await process())), new Keyv(keyvStore(await process()))]
    const sees = (keyv: Keyv, value: unknown) =>
      eventually(async () => expect(await keyv.get('k')).toEqual(value))
    await a.set('k', { n: 1 })
    await sees(b, { n: 1 })
    await b.set('k', { n: 2 })
    await sees(a, { n: 2 })
    expect(await b.delete('k')).toBe(true)
    await sees(a, undefined)
    await a.set('k', 3)
    await sees(b, 3)
    await b.clear()
    await sees(a, undefined)
  })

  test('a namespace is cleared by itself, in both; what was stored under another stays', async () => {
    const process = world()
    const caches = [await process(), await process()]
    const [web, webToo] = caches.map((cache) => new Keyv({ store: keyvStore(cache), namespace: 'web' }))
    const jobs = new Keyv({ store: keyvStore(caches[0]!), namespace: 'jobs' })
    await web!.set('k', 1)
    await jobs.set('k', 2)
    await eventually(async () => expect(await webToo!.get('k')).toBe(1))
    await webToo!.clear()
    await eventually(async () => expect(await web!.get('k')).toBeUndefined())
    expect(await jobs.get('k')).toBe(2)
  })

  test('a value without ttl stays; one with a ttl ends; a ttl that is over is a delete', async () => {
    const process = world()
    const cache = await process()
    const keyv = new Keyv({ store: keyvStore(cache) })
    await keyv.set('forever', 1)
    await keyv.set('minute', 1, 60_000)
    await keyv.set('gone', 1)
    expect(await keyv.set('gone', 2, -1)).toBe(true)
    const { l1 } = await cache.explain('keyv:minute')
    expect(l1!.ttlLeftMs).toBeGreaterThan(50_000)
    expect(l1!.ttlLeftMs).toBeLessThanOrEqual(60_000)
    expect((await cache.explain('keyv:forever')).l1!.ttlLeftMs).toBeGreaterThan(1e13)
    expect(await keyv.get(['forever', 'minute', 'gone'])).toEqual([1, 1, undefined])
  })

  test('many at once: set, asked for and deleted', async () => {
    const process = world()
    const keyv = new Keyv({ store: keyvStore(await process()) })
    const items = ['a', 'b', 'c'].map((key) => ({ key, value: key.toUpperCase() }))
    expect(await keyv.setMany(items)).toEqual([true, true, true])
    expect(await keyv.getMany(['a', 'x', 'c'])).toEqual(['A', undefined, 'C'])
    expect(await keyv.has(['a', 'x'])).toEqual([true, false])
    expect(await keyv.delete(['a', 'b'])).toBe(true)
    expect(await keyv.delete(['b', 'c'])).toBe(false)
    expect(await keyv.has(['a', 'b', 'c'])).toEqual([false, false, false])
  })

  test('without the prefix of its keys a namespace is still walked through and cleared', async () => {
    const process = world()
    const keyv = new Keyv({ store: keyvStore(await process()), namespace: 'bare', useKeyPrefix: false })
    await keyv.set('a', 1)
    await keyv.set('b', 2)
    expect(await entriesOf(keyv)).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    await keyv.clear()
    expect(await entriesOf(keyv)).toEqual([])
  })

  test('a store closes the cache that it made, and leaves one that it was given', async () => {
    const process = world()
    const cache = await process()
    await new Keyv({ store: keyvStore(cache) }).disconnect()
    expect(await cache.get('k')).toBeUndefined()
    const own = keyvStore({ prefix: space.prefix, namespace: 'own', redis })
    await new Keyv({ store: own }).disconnect()
    await expect(own.get('k')).rejects.toMatchObject({ code: 'cache.closed' })
  })

  test('a key that is not found is deleted all the same: another process may hold it', async () => {
    const tide = handLog()
    // No Redis: neither knows what the other holds.
    const [a, b] = [0, 1].map(() =>
      keyvStore(createCache({ follow: tide, namespace: 'n', policy: { maxLag: Infinity } })),
    )
    await a!.set('k', 1)
    expect(await b!.delete('k')).toBe(false)
    expect(await a!.get('k')).toBeUndefined()
  })

  test('clearing a namespace leaves the same one of another cache on the log alone', async () => {
    const tide = handLog()
    const [a, b] = ['one', 'two'].map((namespace) => {
      const cache = createCache({ follow: tide, namespace, policy: { maxLag: Infinity } })
      return new Keyv({ store: keyvStore(cache), namespace: 'web' })
    })
    await a!.set('k', 1)
    await b!.set('k', 2)
    await a!.clear()
    expect([await a!.get('k'), await b!.get('k')]).toEqual([undefined, 2])
  })

  test('a set that the log does not take is an error to Keyv, and nothing is held', async () => {
    const tideless = createCache({
      namespace: 'n',
      invalidate: () => Promise.reject(new Error('the log is away')),
    })
    const keyv = new Keyv({ store: keyvStore(tideless) })
    const errors: unknown[] = []
    keyv.on('error', (error) => errors.push(error))
    expect(await keyv.set('k', 1)).toBe(false)
    expect(errors).toMatchObject([{ message: 'the log is away' }])
    expect(await keyv.get('k')).toBeUndefined()
  })
})

test('cache-manager works on it: wrap, mget, ttl, mdel and clear', async () => {
  const process = world()
  const [a, b] = [await process(), await process()].map((cache) =>
    createCacheManager({ stores: [new Keyv({ store: keyvStore(cache) })] }),
  )
  let loads = 0
  const load = () => Promise.resolve({ n: ++loads })
  expect(await a!.wrap('k', load, 60_000)).toEqual({ n: 1 })
  expect(await b!.wrap('k', load, 60_000)).toEqual({ n: 1 })
  await a!.del('k')
  await eventually(async () => expect(await b!.get('k')).toBeUndefined())
  await a!.mset([
    { key: 'x', value: 1 },
    { key: 'y', value: 2 },
  ])
  expect(await b!.mget(['x', 'y', 'z'])).toEqual([1, 2, undefined])
  expect(await b!.ttl('x')).toBeUndefined()
  await b!.mdel(['x'])
  await b!.clear()
  await eventually(async () => expect(await a!.mget(['x', 'y'])).toEqual([undefined, undefined]))
})
