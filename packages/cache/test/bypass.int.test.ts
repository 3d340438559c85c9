import { eventually, redisSpace } from '@tidemark/testkit'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { probeEvery, probesInRun, usesToLeave, valuesToEnter } from '../src/advice/key-bypass.js'
import { valuesToJudge } from '../src/advice/kind-bypass.js'
import { isProbeSlot, slotMs, slotsInRound } from '../src/advice/probe-slots.js'
import type { CacheOptions } from '../src/index.js'
import { createCache, onCacheEvent } from '../src/index.js'
import { gateway, HandLog, settle } from '../src/testing/index.js'
import { connect } from './real-redis.js'

const space = redisSpace()
let redis: Redis

beforeAll(async () => {
  redis = await connect(space.url)
})
afterAll(() => {
  redis.disconnect()
})

let namespaces = 0

const setUp = (policy: CacheOptions['policy'] = {}, more: Partial<CacheOptions> = {}) => {
  const tide = new HandLog().follow()
  const namespace = `bypass${++namespaces}`
  const options = { redis, prefix: space.prefix, namespace, policy: { ttl: '1h', maxLag: '1h', ...policy } }
  const cache = createCache({ follow: tide, ...options, ...more })
  const keysInRedis = async (key: string) => {
    const all = await redis.keys(`${space.prefix}:*`)
    return all.filter((each) => each.includes(`${namespace}:${key}}`))
  }
  /** A value of `key` is loaded, used `uses` times, and sinks. */
  const live = async (key: string, { uses = 0, load = (): unknown => 1 } = {}) => {
    await cache.getOrSet({ key, tags: [`tag of ${key}`], load })
    for (let i = 0; i < uses; i++) await cache.getOrSet({ key, tags: [`tag of ${key}`], load })
    tide.change(`tag of ${key}`)
  }
  const liveOften = async (key: string, times: number, how = {}) => {
    for (let i = 0; i < times; i++) await live(key, how)
  }
  /** As many as it takes for the last of them to be loaded past L2. */
  const enter = (key: string, how = {}) => liveOften(key, valuesToEnter + 2, how)
  return { tide, cache, namespace, options, keysInRedis, live, liveOften, enter }
}

/** A name that is not in its probe slot when the clock of a hand-driven tide stands still. */
const quiet = (name: string): string => {
  const { wallMs } = new HandLog()
  for (let i = 0; ; i++) if (!isProbeSlot(`${name}${i}`, wallMs)) return `${name}${i}`
}
const key = quiet('k')

describe('a key whose values sink unused', () => {
  test('is bypassed: it is not looked up, not leased and not stored, and says so', async () => {
    const { cache, namespace, enter, keysInRedis } = setUp()
    const told: unknown[] = []
    const stop = onCacheEvent('bypass', (event) => {
      if (event.namespace === namespace) told.push(event)
    })
    await enter(key)
    stop()
    expect(told).toEqual([{ namespace, key, kind: '', isBypassed: true }])
    expect(cache.stats()).toMatchObject({ bypassedKeys: 1, bypassed: 1 })
    await redis.del(await keysInRedis(key))
    const calls = vi.spyOn(redis, 'mgetBuffer')
    await cache.getOrSet({ key, load: () => 1 })
    expect(calls).not.toHaveBeenCalled()
    calls.mockRestore()
    await settle()
    expect(await keysInRedis(key)).toEqual([])
    expect(cache.stats().l1Entries).toBe(0)
    expect(await cache.explain(key)).toMatchObject({ isBypassed: true })
    expect(cache.advise()).toMatchObject({ bypassedKeys: 1 })
  })

  test('a bypassed load is still shared in the process', async () => {
    const { cache, enter } = setUp()
    await enter(key)
    const gate = gateway<number>()
    const load = vi.fn(() => gate.promise)
    const calls = Array.from({ length: 20 }, () => cache.getOrSet({ key, load }))
    await settle()
    gate.open(7)
    expect(await Promise.all(calls)).toEqual(Array(20).fill(7))
    expect(load).toHaveBeenCalledTimes(1)
  })

  test('joining a load is no use of its value', async () => {
    const { tide, cache } = setUp()
    for (let i = 0; i <= valuesToEnter; i++) {
      await Promise.all([1, 2, 3].map(() => cache.getOrSet({ key, tags: ['t'], load: () => 1 })))
      tide.change('t')
    }
    expect(cache.stats().bypassedKeys).toBe(1)
  })

  test('is probed: a load in so many is stored again', async () => {
    const { cache, enter, liveOften, keysInRedis } = setUp()
    await enter(key)
    await redis.del(await keysInRedis(key))
    const before = cache.stats()
    await liveOften(key, 2 * probeEvery)
    const { bypassed, loads } = cache.stats()
    expect(loads - before.loads).toBe(2 * probeEvery)
    expect(bypassed - before.bypassed).toBe(2 * (probeEvery - probesInRun))
    await eventually(async () => (await keysInRedis(key)).length > 0)
  })

  test('is probed by all processes at once, when its slot comes', async () => {
    const { tide, cache, options, live, enter } = setUp()
    await enter(key)
    while (!isProbeSlot(key, tide.wallMs)) tide.pass(slotMs)
    tide.prove()
    const { bypassed } = cache.stats()
    await live(key)
    await live(key)
    expect(cache.stats().bypassed).toBe(bypassed)
    expect(slotsInRound).toBeGreaterThan(4)
    const other = createCache({ follow: tide, ...options })
    await cache.getOrSet({ key, load: () => 1 })
    const load = vi.fn(() => 2)
    await eventually(async () => (await other.get(key)) === 1)
    expect(other.getOrSet({ key, load })).toBe(1)
  })

  test('comes back when its probes are used', async () => {
    const { cache, enter, liveOften } = setUp()
    await enter(key)
    await liveOften(key, probeEvery, { uses: 1 })
    expect(cache.stats().bypassedKeys).toBe(0)
  })

  test('keeps its value in L1 where grace may need it, and what stays there and is used brings it back', async () => {
    const { tide, cache, enter, live } = setUp({ grace: '1h' })
    await enter(key)
    expect(cache.stats().bypassed).toBeGreaterThan(0)
    await cache.getOrSet({ key, tags: ['t'], load: () => 'graced' })
    tide.change('t')
    const down = () => Promise.reject(new Error('down'))
    expect(await cache.read({ key, tags: ['t'], load: down })).toMatchObject({
      value: 'graced',
      from: 'stale',
    })
    tide.pass(10_000)
    tide.prove()
    for (let i = 0; i <= usesToLeave; i++) await live(key, { uses: 1 })
    expect(cache.stats().bypassedKeys).toBe(0)
  })

  test('keeps what the loader asks the origin about', async () => {
    const { cache, tide, enter } = setUp()
    const load = (context: { setValidator(validator: string): void }) => {
      context.setValidator('v1')
      return 1
    }
    await enter(key, { load })
    await cache.getOrSet({ key, tags: ['t'], load })
    tide.change('t')
    const validator = await cache.getOrSet({
      key,
      tags: ['t'],
      load: (context) => context.previous()?.validator,
    })
    expect(validator).toBe('v1')
  })
})

describe('what is never bypassed', () => {
  test('a load that costs much more than a call of Redis keeps its lease, though its values sink unused', async () => {
    const { tide, cache, enter, keysInRedis } = setUp()
    const load = () => {
      tide.pass(100)
      tide.prove()
      return 1
    }
    await enter(key, { load })
    const { leasesTaken, bypassed } = cache.stats()
    expect(bypassed).toBe(0)
    await cache.getOrSet({ key, load })
    expect(cache.stats().leasesTaken).toBe(leasesTaken + 1)
    await eventually(async () => (await keysInRedis(key)).length === 1)
  })

  test('a policy that says never', async () => {
    const { cache, liveOften } = setUp({ bypass: 'never' })
    await liveOften(key, 3 * valuesToEnter)
    expect(cache.stats().bypassed).toBe(0)
  })

  test('a key whose values are used, now and then', async () => {
    const { cache, liveOften } = setUp()
    for (let i = 0; i < 3; i++) {
      await liveOften(key, valuesToEnter - 2)
      await liveOften(key, 1, { uses: 1 })
    }
    expect(cache.stats().bypassed).toBe(0)
  })

  test('keys asked for together, each for itself: they are looked up and loaded at once', async () => {
    const { cache, enter } = setUp()
    await enter(key)
    const load = vi.fn((missing: readonly string[]) => new Map(missing.map((each) => [each, 1])))
    await cache.getOrSetMany({ keys: [key, 'other'], load })
    expect(load).toHaveBeenCalledTimes(1)
    expect(cache.stats().bypassed).toBe(1)
  })

  test('what a caller puts: the cache may be its only origin', async () => {
    const { cache, keysInRedis } = setUp()
    for (let i = 0; i < 3 * valuesToEnter; i++) await cache.put(key, i)
    expect(cache.stats().bypassedKeys).toBe(0)
    await eventually(async () => (await keysInRedis(key)).length === 1)
  })

  test('anything, where there is no L2: memory costs next to nothing', async () => {
    const { tide } = setUp()
    const cache = createCache({ follow: tide, namespace: 'memory' })
    for (let i = 0; i < 3 * valuesToEnter; i++) {
      await cache.getOrSet({ key, tags: ['t'], load: () => 1 })
      tide.change('t')
    }
    expect(cache.stats()).toMatchObject({ bypassed: 0, l1Entries: 1 })
  })
})

describe('a kind whose values are nearly never used', () => {
  const kind = quiet('one-offs')
  const everySixteenth = () => {
    let drawn = 0
    return () => (drawn++ % 16) / 16
  }
  const enterKind = async ({ cache, tide }: ReturnType<typeof setUp>, { isSunk = true } = {}) => {
    for (let i = 0; i < 2 * valuesToJudge; i += 50) {
      const keys = Array.from({ length: 50 }, (_, j) => `${i + j}`)
      const load = (missing: readonly string[]) => new Map(missing.map((each) => [each, 1]))
      await cache.getOrSetMany({ keys, tags: () => ['t'], load })
      if (isSunk) tide.change('t')
    }
  }

  test('is bypassed whatever the key, and said to be', async () => {
    const world = setUp({ kind }, { l1: { maxEntries: 60 }, random: everySixteenth() })
    await enterKind(world)
    const { cache, namespace } = world
    const before = cache.stats().bypassed
    for (let i = 0; i < 100; i++) await cache.getOrSet({ key: `never seen ${i}`, load: () => 1 })
    expect(cache.stats().bypassed - before).toBeGreaterThan(70)
    expect(cache.stats().bypassed - before).toBeLessThan(100)
    const [advice] = cache.advise().kinds
    expect(advice).toMatchObject({ kind, bypassedForMs: 0 })
    expect(cache.advise().namespace).toBe(namespace)
  })

  test('but not for values that made room in L1 while they were afloat: L2 holds them for those who come later', async () => {
    const world = setUp({ kind }, { l1: { maxEntries: 60 }, random: everySixteenth() })
    await enterKind(world, { isSunk: false })
    const { cache } = world
    for (let i = 0; i < 100; i++) await cache.getOrSet({ key: `never seen ${i}`, load: () => 1 })
    expect(cache.stats().bypassed).toBe(0)
  })

  test('a batch of it goes one way, all of it, so that it is loaded at once', async () => {
    const world = setUp({ kind }, { l1: { maxEntries: 60 }, random: everySixteenth() })
    await enterKind(world)
    const keys = Array.from({ length: 50 }, (_, i) => `batch ${i}`)
    for (let i = 0; i < 20; i++) {
      const load = vi.fn((missing: readonly string[]) => new Map(missing.map((each) => [each, 1])))
      await world.cache.getOrSetMany({ keys: keys.map((each) => `${each} of ${i}`), load })
      expect(load).toHaveBeenCalledTimes(1)
    }
  })
})

test('a tag that sinks what comes back to the same bytes is told of', async () => {
  const { tide, cache } = setUp()
  for (let i = 0; i < 60; i++) {
    await cache.getOrSet({ key: `one ${i}`, tags: [`one:${i}`, 'broad'], load: () => i })
    await eventually(async () => (await cache.explain(`one ${i}`)).l2 !== 'none')
  }
  tide.change('broad')
  for (let i = 0; i < 60; i++)
    await cache.getOrSet({ key: `one ${i}`, tags: [`one:${i}`, 'broad'], load: () => i })
  const { tags, sentences } = cache.advise()
  expect(tags[0]).toEqual({ tag: 'broad', sank: 60, same: 60 })
  expect(sentences.find((sentence) => sentence.startsWith('tag "broad": 100 %'))).toBeDefined()
})

test('values that make room in L1 and are taken from L2 again are told of', async () => {
  const { cache } = setUp({}, { l1: { maxEntries: 20 } })
  const all = Array.from({ length: 60 }, (_, i) => `one ${i}`)
  for (const each of all) await cache.getOrSet({ key: each, load: () => 1 })
  await eventually(async () => (await cache.explain('one 59')).l2 !== 'none')
  for (const each of all) await cache.getOrSet({ key: each, load: () => 2 })
  expect(cache.advise().kinds[0]).toMatchObject({ evicted: 100 })
  expect(cache.advise().kinds[0]!.refilled).toBeGreaterThan(50)
  expect(cache.advise().sentences.some((sentence) => sentence.endsWith('L1 is too small'))).toBe(true)
})
