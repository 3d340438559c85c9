import { eventually, ownCluster, redisSpace } from '@tidemark/testkit'
import { Cluster } from 'ioredis'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { CacheOptions, ListOptions } from '../src/index.js'
import { createCache, guardRedis } from '../src/index.js'
import { handLog } from '../src/testing/index.js'
import { connect, connectPatiently } from './real-redis.js'

const space = redisSpace()
let redis: Redis
beforeAll(async () => {
  redis = await connectPatiently(space.url)
})
afterAll(() => {
  redis.disconnect()
})

let namespaces = 0
const world = (client: Redis | Cluster = redis) => {
  const namespace = `list${++namespaces}`
  const process = (tide = handLog(), more: Partial<CacheOptions> = {}) => ({
    tide,
    cache: createCache({
      follow: tide,
      redis: client,
      prefix: space.prefix,
      namespace,
      policy: { ttl: 'afloat', maxLag: '1h' },
      ...more,
    }),
  })
  const bytesOf = (key: string) => `${space.prefix}:{${namespace}:${key}}:v`
  return { process, bytesOf }
}

type Process = ReturnType<ReturnType<typeof world>['process']>

async function keysOf({ cache }: Process, options?: ListOptions): Promise<string[]> {
  const keys: string[] = []
  for await (const key of cache.keys(options)) keys.push(key)
  return [...new Set(keys)].sort()
}

/** Stores as a load would, and waits until Redis has it. */
async function fill({ cache }: Process, key: string, tags: string[] = []): Promise<void> {
  cache.set(key, `value of ${key}`, { stamp: cache.stamp(), tags })
  await eventually(async () => typeof (await cache.explain(key)).l2 === 'object')
}

describe('what is held', () => {
  test('is listed with its values for every process, by the beginning of its key or by a tag', async () => {
    const { process } = world()
    const a = process()
    for (const key of ['users:1', 'users:2', 'odd*[key]?:\\', 'orders:1']) await fill(a, key, [`t:${key}`])
    const b = process()
    expect(await keysOf(b)).toEqual(['odd*[key]?:\\', 'orders:1', 'users:1', 'users:2'])
    expect(await keysOf(b, { prefix: 'users:' })).toEqual(['users:1', 'users:2'])
    expect(await keysOf(b, { prefix: 'odd*[' })).toEqual(['odd*[key]?:\\'])
    expect(await keysOf(b, { prefix: 'users?' })).toEqual([])
    expect(await keysOf(b, { tag: 't:orders:1' })).toEqual(['orders:1'])
    const values = new Map<string, string>()
    for await (const [key, value] of b.cache.entries<string>({ prefix: 'users:' })) values.set(key, value)
    expect(values.get('users:2')).toBe('value of users:2')
    expect(b.cache.stats().l1Entries).toBe(0)
  })

  test('of thousands of keys none is left out', async () => {
    const { process } = world()
    const a = process()
    const keys = Array.from({ length: 2_000 }, (_, i) => `k${i}`)
    for (const key of keys) a.cache.set(key, key, { stamp: a.cache.stamp() })
    await eventually(async () => expect((await keysOf(a)).length).toBe(keys.length))
  })

  test('but not what has sunk, has expired, or is of another namespace; what has sunk leaves Redis', async () => {
    const { process, bytesOf } = world()
    const a = process()
    await fill(a, 'stays')
    await fill(a, 'sinks', ['t'])
    await fill(world().process(), 'elsewhere')
    a.cache.set('expires', 1, { stamp: a.cache.stamp(), ttl: 1_000, grace: '1h' })
    await eventually(async () => typeof (await a.cache.explain('expires')).l2 === 'object')
    a.tide.change('t')
    a.tide.pass(1_001)
    expect(await keysOf(a)).toEqual(['stays'])
    await eventually(async () => (await redis.exists(bytesOf('sinks'))) === 0)
    expect(await redis.exists(bytesOf('stays'), bytesOf('expires'))).toBe(2)
  })

  test('a value of a term that this process has not heard of yet is not listed, and stays in Redis', async () => {
    const { process, bytesOf } = world()
    const [behind, ahead] = [process(), process()]
    ahead.tide.newEpoch()
    await fill(ahead, 'k')
    expect(await keysOf(behind)).toEqual([])
    expect(await keysOf(ahead)).toEqual(['k'])
    expect(await redis.exists(bytesOf('k'))).toBe(1)
  })

  test('is not listed in part: who cannot show that it is fresh says so', async () => {
    const { process } = world()
    const a = process()
    await fill(a, 'k')
    a.tide.pass(3_600_001)
    await expect(keysOf(a)).rejects.toMatchObject({ code: 'cache.unavailable' })
  })

  test('without Redis it is what this process holds', async () => {
    const tide = handLog()
    const a = { tide, cache: createCache({ follow: tide, namespace: 'n', policy: { maxLag: '1h' } }) }
    for (const key of ['a:1', 'a:2', 'b:1']) a.cache.set(key, 1, { stamp: a.cache.stamp(), tags: [key] })
    tide.change('a:1')
    expect(await keysOf(a, { prefix: 'a:' })).toEqual(['a:2'])
    expect(await keysOf(a, { tag: 'b:1' })).toEqual(['b:1'])
  })

  test('on a Cluster it is what all masters hold', async () => {
    const cluster = await ownCluster()
    const client = new Cluster([...cluster.nodes], { keyPrefix: 'pre:' })
    guardRedis(client, { deadlineMs: 5_000 })
    try {
      await eventually(() => client.status === 'ready')
      const a = world(client).process()
      const keys = Array.from({ length: 40 }, (_, i) => `k${i + 10}`)
      for (const key of keys) await fill(a, key)
      expect(await keysOf(a)).toEqual(keys)
    } finally {
      client.disconnect()
      await cluster.remove()
    }
  })

  test('a client`s keyPrefix is no part of a key', async () => {
    const client = await connect(space.url, { keyPrefix: 'pre[:' })
    try {
      const a = world(client).process()
      await fill(a, 'k')
      expect(await keysOf(a)).toEqual(['k'])
    } finally {
      client.disconnect()
    }
  })
})

describe('deleting', () => {
  test('gives the memory in Redis back', async () => {
    const { process, bytesOf } = world()
    const a = process()
    for (const key of ['x', 'y', 'z']) await fill(a, key)
    await a.cache.deleteMany(['x', 'y'])
    expect(a.tide.log.length).toBe(1)
    await eventually(async () => (await redis.exists(bytesOf('x'), bytesOf('y'))) === 0)
    expect([await a.cache.has('x'), await a.cache.has('z')]).toEqual([false, true])
  })

  test('takes nothing from who knew of it: what was stored at its position or later stays', async () => {
    const { process, bytesOf } = world()
    const [a, b] = [process(), process()]
    await fill(a, 'old')
    b.tide.change('!elsewhere')
    await fill(b, 'k')
    // Numbered 1 here, while what is stored of `k` is of position 1; both are sent in one batch.
    await a.cache.deleteMany(['k', 'old'])
    await eventually(async () => (await redis.exists(bytesOf('old'))) === 0)
    expect(await redis.exists(bytesOf('k'))).toBe(1)
  })
})
