/** BentoCache's own suite for its drivers, which wants Japa's words; and BentoCache itself on two processes' caches. */
import { isDeepStrictEqual } from 'node:util'

import { eventually, redisSpace } from '@tidemark/testkit'
import { BentoCache, bentostore } from 'bentocache'
import { registerCacheDriverTestSuite } from 'bentocache/test_suite'
import type { L2CacheDriver } from 'bentocache/types'
import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { bentoDriver } from '../src/adapters/bentocache.js'
import type { Cache } from '../src/index.js'
import { createCache } from '../src/index.js'
import { connect } from './real-redis.js'

const { url, prefix } = redisSpace()
let redis: Redis
let caches: Cache[]

beforeAll(async () => {
  redis = await connect(url)
  caches = [0, 1].map(() => createCache({ redis, prefix, namespace: 'bento' }))
  await Promise.all(caches.map((cache) => cache.ready()))
})
afterAll(async () => {
  for (const cache of caches) await cache.close()
  redis.disconnect()
})

const driverOf = (config: { prefix?: string } = {}): L2CacheDriver =>
  bentoDriver(caches[0]!).factory({ prefix: 'japa', ...config })

describe('BentoCache`s driver suite', () => {
  const assert = {
    deepEqual: (value: unknown, wanted: unknown) => expect(isDeepStrictEqual(value, wanted)).toBe(true),
    notEqual: (value: unknown, other: unknown) => expect(value).not.toBe(other),
    isTrue: (value: unknown) => expect(value).toBe(true),
    isFalse: (value: unknown) => expect(value).toBe(false),
    isUndefined: (value: unknown) => expect(value).toBeUndefined(),
  }
  const group = {
    setup: (open: () => Promise<() => Promise<void>>) => {
      let close: () => Promise<void>
      beforeAll(async () => {
        close = await open()
      })
      afterAll(() => close())
    },
    tap: () => undefined,
    each: { teardown: (clean: () => Promise<void>) => afterEach(clean) },
  }
  const japaTest = (title: string, body: (context: object) => Promise<void>) => {
    test(title, async () => {
      const cleanups: (() => Promise<void>)[] = []
      await body({ assert, cleanup: (clean: () => Promise<void>) => cleanups.push(clean) })
      for (const clean of cleanups) await clean()
    })
  }
  registerCacheDriverTestSuite({
    test: japaTest as never,
    group: group as never,
    createDriver: driverOf as never,
  })
})

describe('BentoCache on it, in two processes', () => {
  const bentos = () =>
    caches.map((cache) => {
      const stores = { one: bentostore().useL2Layer(bentoDriver(cache)) }
      return new BentoCache({ default: 'one', stores })
    }) as [BentoCache<never>, BentoCache<never>]

  test('each sees what the other sets, deletes and clears, with no bus', async () => {
    const [a, b] = bentos()
    const sees = (value: unknown) => eventually(async () => expect(await b.get({ key: 'k' })).toEqual(value))
    await a.set({ key: 'k', value: { n: 1 } })
    await sees({ n: 1 })
    await a.set({ key: 'k', value: { n: 2 } })
    await sees({ n: 2 })
    await a.delete({ key: 'k' })
    await sees(undefined)
    expect(await a.getOrSet({ key: 'k', factory: () => 'loaded', tags: ['t'] })).toBe('loaded')
    await sees('loaded')
    await a.deleteByTag({ tags: ['t'] })
    await sees(undefined)
    await a.namespace('users').set({ key: 'k', value: 1 })
    await a.set({ key: 'k', value: 2 })
    await a.namespace('users').clear()
    await eventually(async () => expect(await b.namespace('users').get({ key: 'k' })).toBeUndefined())
    await sees(2)
  })
})
