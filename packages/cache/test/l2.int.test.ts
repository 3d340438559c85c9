import { redisSpace, eventually } from '@tidemark/testkit'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import type { CacheOptions, LoadContext } from '../src/index.js'
import { createCache } from '../src/index.js'
import { decodeEnvelope } from '../src/l2/envelope.js'
import { gateway, handLog, HandLog, settle } from '../src/testing/index.js'
import { connectPatiently } from './real-redis.js'

const space = redisSpace()
let redis: Redis

beforeAll(async () => {
  redis = await connectPatiently(space.url)
})
afterAll(() => {
  redis.disconnect()
})

let namespaces = 0

/** One shared namespace and log; each `process` has a follower and an L1 of its own. */
const world = (policy: CacheOptions['policy'] = {}) => {
  const namespace = `n${++namespaces}`
  const process = (tide = handLog(), more: Partial<CacheOptions> = {}) => ({
    tide,
    cache: createCache({
      follow: tide,
      redis,
      prefix: space.prefix,
      namespace,
      policy: { ttl: '1m', maxLag: '1h', ...policy },
      ...more,
    }),
  })
  const valueKey = (key: string) => `${space.prefix}:{${namespace}:${key}}:v`
  const isStored = (key: string) => eventually(async () => (await redis.exists(valueKey(key))) === 1)
  const envelope = async (key: string) => decodeEnvelope((await redis.getBuffer(valueKey(key)))!)
  return { process, valueKey, isStored, envelope, namespace }
}

describe('L2', () => {
  test('a value loaded in one process is read by another, with its own stamp and what is left of its ttl', async () => {
    const { process, isStored } = world()
    const a = process()
    const b = process()
    const request = { key: 'k', tags: ['t'], load: () => ({ id: 1 }) }
    await a.cache.getOrSet(request)
    await isStored('k')
    b.tide.pass(20_000)
    const answer = await b.cache.read({ ...request, load: () => ({ id: 2 }) })
    expect(answer).toMatchObject({ value: { id: 1 }, from: 'l2', ageMs: 20_000, ttlLeftMs: 40_000 })
    await settle()
    expect(await b.cache.read(request)).toMatchObject({ from: 'l1', ttlLeftMs: 40_000 })
    b.tide.pass(40_001)
    await settle()
    expect(await b.cache.read({ ...request, load: () => ({ id: 3 }) })).toMatchObject({ value: { id: 3 } })
  })

  test.each([[null], [0], [''], [false]])('%o is a value, in every process', async (value) => {
    const { process, isStored } = world()
    await process().cache.getOrSet<unknown>({ key: 'k', load: () => value })
    await isStored('k')
    const load = vi.fn(() => 'loaded again')
    expect(await process().cache.getOrSet<unknown>({ key: 'k', load })).toBe(value)
    expect(load).not.toHaveBeenCalled()
  })

  test('a fill that ends after the write it missed is sunk for everyone', async () => {
    const { process, isStored, envelope } = world()
    const [a, b, c] = [process(), process(), process()]
    const old = gateway<string>()
    const filling = a.cache.getOrSet({ key: 'k', tags: ['t'], load: () => old.promise })
    await eventually(() => a.cache.stats().loading === 1)
    for (const { tide } of [a, b, c]) tide.change('t')
    old.open('old')
    expect(await filling).toBe('old')
    await isStored('k')
    expect((await envelope('k'))?.stamp.tidemark).toBe(0)
    for (const { cache } of [a, b, c])
      expect(await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })).toBe('new')
  })

  test('L1 is not refilled from an old L2 value that has sunk', async () => {
    const { process, isStored } = world()
    const [a, b] = [process(), process()]
    await a.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'old' })
    await isStored('k')
    b.tide.change('t')
    expect(await b.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })).toBe('new')
    expect(b.cache.stats()).toMatchObject({ hitsL2: 0, loads: 1 })
  })

  test('an L2 value taken into L1 sinks there when its floor rises', async () => {
    const { process, isStored } = world()
    const [a, b] = [process(), process()]
    await a.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'old' })
    await isStored('k')
    expect(await b.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })).toBe('old')
    b.tide.change('t')
    expect(b.cache.hit('k')).toBeUndefined()
  })

  test('a lost invalidation sinks what was held, once the gap shows', async () => {
    const { process, isStored } = world()
    const [a, b] = [process(), process()]
    await a.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'old' })
    await isStored('k')
    await b.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'x' })
    b.tide.write('t') // never arrives
    expect(b.cache.hit('k')?.value).toBe('old')
    b.tide.loseUpToHead()
    expect(await b.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })).toBe('new')
  })

  test('a new epoch sinks all, and its values go over those of the old one though their tidemarks are lower', async () => {
    const { process, isStored, envelope } = world()
    const a = process()
    for (let i = 0; i < 20; i++) a.tide.change('other')
    await a.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'old' })
    await isStored('k')
    const b = process(new HandLog({ term: 2, nonce: 5 }).follow())
    expect(await b.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })).toBe('new')
    await eventually(async () => (await envelope('k'))?.stamp.epoch.term === 2)
    a.tide.newEpoch()
    expect(a.cache.hit('k')).toBeUndefined()
  })

  test('a store never goes over a newer one', async () => {
    const { process, isStored, envelope } = world()
    const [slow, fast] = [process(undefined, { codec: 'json' }), process(undefined, { codec: 'json' })]
    const stamp = slow.cache.stamp()
    slow.tide.change('t')
    fast.tide.change('t')
    fast.cache.set('k', 'new', { stamp: fast.cache.stamp(), tags: ['t'] })
    await isStored('k')
    slow.cache.set('k', 'old', { stamp, tags: ['t'] })
    slow.cache.set('after', 1, { stamp }) // goes out behind it
    await isStored('after')
    expect((await envelope('k'))?.payload.toString()).toBe('"new"')
  })

  test('a store of the same tidemark goes over: neither is older', async () => {
    const { process, envelope } = world()
    const { cache } = process(undefined, { codec: 'json' })
    for (const value of ['a', 'b']) cache.set('k', value, { stamp: cache.stamp() })
    await eventually(async () => (await envelope('k'))?.payload.toString() === '"b"')
  })

  test('a store survives a server that has forgotten its scripts', async () => {
    const { process, isStored } = world()
    const { cache } = process()
    cache.set('a', 1, { stamp: cache.stamp() })
    await isStored('a')
    await redis.script('FLUSH')
    cache.set('b', 1, { stamp: cache.stamp() })
    await isStored('b')
  })

  test('Redis keeps it for ttl and grace', async () => {
    const { process, isStored, valueKey } = world({ ttl: '1m', grace: '1m' })
    const { cache } = process()
    cache.set('k', 1, { stamp: cache.stamp() })
    await isStored('k')
    const leftMs = await redis.pttl(valueKey('k'))
    expect(leftMs).toBeGreaterThan(115_000)
    expect(leftMs).toBeLessThanOrEqual(120_000)
  })

  test('for ever is stored too, and a lease of less than a millisecond is one', async () => {
    const { process, isStored, namespace } = world({ ttl: Infinity, grace: Infinity, lease: 0.5 })
    const { cache } = process()
    expect(await cache.getOrSet({ key: 'k', load: () => 'v' })).toBe('v')
    await isStored('k')
    expect(await redis.exists(`${space.prefix}:{${namespace}:k}:l`)).toBe(0)
    expect(await process().cache.read({ key: 'k', load: () => 'x' })).toMatchObject({
      value: 'v',
      from: 'l2',
    })
    expect(cache.stats()).toMatchObject({ redisErrors: 0, leasesTaken: 1 })
  })

  test.each([['a list'], ['a lease that is a list'], ['a lease that never ends']])(
    'a key of another make is replaced by the next store: %s',
    async (what) => {
      const { process, valueKey, isStored, namespace } = world({ lease: 100 })
      const leaseKey = `${space.prefix}:{${namespace}:k}:l`
      if (what === 'a list') await redis.lpush(valueKey('k'), 'x')
      else if (what === 'a lease that is a list') await redis.lpush(leaseKey, 'x')
      else await redis.set(leaseKey, 'nobody')
      const { tide, cache } = process()
      const call = cache.getOrSet({ key: 'k', load: () => 'v' })
      if (what !== 'a list') {
        await eventually(() => cache.stats().leaseWaits === 1)
        tide.pass(200) // as long as anybody waits for a lease of 100 ms
      }
      expect(await call).toBe('v')
      await eventually(async () => (await redis.type(valueKey('k'))) === 'string')
      await isStored('k')
      expect(await redis.exists(leaseKey)).toBe(0)
      expect(await process().cache.read({ key: 'k', load: () => 'x' })).toMatchObject({
        value: 'v',
        from: 'l2',
      })
      if (what === 'a list') expect(cache.stats()).toMatchObject({ leasesTaken: 1, redisErrors: 0 })
    },
  )

  test('bytes that are no envelope, or that no codec of ours wrote, are a miss and counted', async () => {
    const { process, valueKey, isStored } = world()
    const { cache } = process()
    for (const bytes of [Buffer.from('junk'), Buffer.alloc(100), Buffer.from('TM')]) {
      await redis.set(valueKey('k'), bytes)
      expect(await process().cache.getOrSet({ key: 'k', load: () => 'v' })).toBe('v')
    }
    cache.set('bytes', Buffer.from('abc'), { stamp: cache.stamp() })
    await isStored('bytes')
    const other = process(undefined, { codec: 'json' })
    expect(await other.cache.getOrSet({ key: 'bytes', load: () => 'v' })).toBe('v')
    expect(other.cache.stats().decodeFailures).toBeGreaterThan(0)
  })

  test('a tag that the caller knows and the stored value does not still counts', async () => {
    const { process, isStored } = world()
    const [a, b] = [process(), process()]
    await a.cache.getOrSet({ key: 'k', tags: ['old tag'], load: () => 'old' })
    await isStored('k')
    b.tide.change('new tag')
    expect(await b.cache.getOrSet({ key: 'k', tags: ['old tag', 'new tag'], load: () => 'new' })).toBe('new')
  })

  test('a stored tag that the caller does not name still counts, however many it names', async () => {
    const { process, isStored } = world()
    const [a, b] = [process(), process()]
    await a.cache.getOrSet({ key: 'k', tags: ['t', 'u'], load: () => 'old' })
    await isStored('k')
    b.tide.change('u')
    expect(await b.cache.getOrSet({ key: 'k', tags: ['t', 't'], load: () => 'new' })).toBe('new')
  })

  test('all reads of one turn are one MGET, of many keys and many calls', async () => {
    const { process } = world()
    const { cache } = process()
    const mget = vi.spyOn(redis, 'mgetBuffer')
    await Promise.all([
      ...['a', 'b'].map((key) => cache.getOrSet({ key, load: () => key })),
      cache.getOrSetMany({ keys: ['c', 'd', 'e'], load: (keys) => new Map(keys.map((key) => [key, key])) }),
    ])
    expect(mget).toHaveBeenCalledTimes(1)
    mget.mockRestore()
  })

  test('very many reads of one turn are a few MGETs, and each key gets its own value', async () => {
    const { process, isStored } = world()
    const [a, b] = [process(), process()]
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`)
    for (const key of keys) a.cache.set(key, key, { stamp: a.cache.stamp() })
    for (const key of keys) await isStored(key)
    const mget = vi.spyOn(redis, 'mgetBuffer')
    expect([...(await b.cache.getMany(keys)).entries()]).toEqual(keys.map((key) => [key, key]))
    expect(mget).toHaveBeenCalledTimes(4)
    mget.mockRestore()
  })

  test('what a writer with another clock or policy stored is kept no longer than this caller would keep it', async () => {
    const { process, isStored } = world()
    const [a, b] = [process(undefined, { policy: { ttl: '1 week' } }), process()]
    await a.cache.getOrSet({ key: 'k', load: () => 'v' })
    await isStored('k')
    expect(await b.cache.read({ key: 'k', load: () => 'x' })).toMatchObject({ from: 'l2', ttlLeftMs: 60_000 })
  })

  test('what one request asks for does not stay with the entry that it took from L2', async () => {
    const { process, isStored } = world({ level: 'strict' })
    const [a, b] = [process(), process()]
    await a.cache.getOrSet({ key: 'k', load: () => 'v' })
    await isStored('k')
    expect(await b.cache.read({ key: 'k', level: 'bounded', load: () => 'x' })).toMatchObject({ from: 'l2' })
    expect(b.cache.hit('k')).toBeUndefined()
  })

  test('getOrSetMany loads only what L2 lacks or holds sunk', async () => {
    const { process, isStored } = world()
    const [a, b] = [process(), process()]
    const fill = (keys: readonly string[]) => new Map(keys.map((key) => [key, `first ${key}`]))
    await a.cache.getOrSetMany({ keys: ['a', 'b'], tags: (key) => [key], load: fill })
    await isStored('b')
    b.tide.change('b')
    const load = vi.fn((keys: readonly string[]) => new Map(keys.map((key) => [key, `second ${key}`])))
    const values = await b.cache.getOrSetMany({ keys: ['a', 'b', 'c'], tags: (key) => [key], load })
    expect(Object.fromEntries(values)).toEqual({ a: 'first a', b: 'second b', c: 'second c' })
    expect(load.mock.calls.map(([keys]) => keys)).toEqual([['b', 'c']])
  })

  test('grace finds in L2 what L1 no longer holds; it is not stored again', async () => {
    const { process, isStored } = world({ grace: '1h' })
    const [a, b] = [process(), process()]
    await a.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'old' })
    await isStored('k')
    b.tide.change('t')
    const down = () => Promise.reject(new Error('down'))
    expect(await b.cache.read({ key: 'k', tags: ['t'], load: down })).toMatchObject({
      value: 'old',
      from: 'stale',
    })
    expect(b.cache.stats().l1Entries).toBe(0)
  })

  test('a loader in another process is given the value and the validator that lie in Redis', async () => {
    const { process, isStored } = world()
    const [a, b] = [process(), process()]
    await a.cache.getOrSet({
      key: 'k',
      tags: ['t'],
      load: (context) => {
        context.setValidator('"größe-7"')
        return { v: 1 }
      },
    })
    await isStored('k')
    b.tide.change('t')
    const load = vi.fn((context: LoadContext) => {
      expect(context.previous()).toMatchObject({ value: { v: 1 }, validator: '"größe-7"' })
      return context.notModified()
    })
    expect(await b.cache.getOrSet({ key: 'k', tags: ['t'], load })).toEqual({ v: 1 })
    expect(load).toHaveBeenCalledTimes(1)
  })

  test('explain shows the verdict of each tier and what it was made from', async () => {
    const { process, isStored } = world()
    const { tide, cache } = process()
    await cache.getOrSet({ key: 'k', tags: ['t', 'u'], load: () => 1 })
    await isStored('k')
    tide.change('u')
    const { l1, l2 } = await cache.explain('k')
    const expected = {
      verdict: 'sunk',
      tags: [
        { tag: 't', floor: 0 },
        { tag: 'u', floor: 1 },
        { tag: expect.stringMatching(/^!n\d+:k$/) as unknown, floor: 0 },
        { tag: expect.stringMatching(/^!n\d+$/) as unknown, floor: 0 },
      ],
    }
    expect(l1).toMatchObject(expected)
    expect(l2).toMatchObject(expected)
    expect((await cache.explain('nothing')).l2).toBe('none')
  })
})
