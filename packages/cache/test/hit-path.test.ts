import { describe, expect, test, vi } from 'vitest'

import { createCache, definePolicy } from '../src/index.js'
import { gateway, handLog, HandLog } from '../src/testing/index.js'

const setUp = (policy = {}) => {
  const tide = handLog()
  const cache = createCache({ follow: tide, namespace: 'n', policy: { ttl: '1m', ...policy } })
  return { tide, cache }
}

describe('a hit', () => {
  test('is the very value, at once and without a promise', async () => {
    const { cache } = setUp()
    const value = { id: 1 }
    const request = { key: 'k', tags: ['t'], load: () => value }
    expect(await cache.getOrSet(request)).toBe(value)
    expect(cache.getOrSet(request)).toBe(value)
    expect(cache.hit('k')?.value).toBe(value)
    expect(cache.peek('k')).toBe(value)
  })

  test.each([[null], [0], [''], [false]])('%o is a value: loaded once', async (value) => {
    const { cache } = setUp()
    const load = vi.fn(() => value)
    expect(await cache.getOrSet<unknown>({ key: 'k', load })).toBe(value)
    expect(cache.getOrSet<unknown>({ key: 'k', load })).toBe(value)
    expect(load).toHaveBeenCalledTimes(1)
  })

  test('undefined is an answer that is not stored', async () => {
    const { cache } = setUp()
    const load = vi.fn(() => undefined)
    expect(await cache.getOrSet({ key: 'k', load })).toBeUndefined()
    expect(await cache.getOrSet({ key: 'k', load })).toBeUndefined()
    expect(load).toHaveBeenCalledTimes(2)
  })

  test('a negative answer lives for its own ttl', async () => {
    const { tide, cache } = setUp({ negativeTtl: '5s', maxLag: '1h' })
    const load = vi.fn(() => null)
    await cache.getOrSet({ key: 'k', load })
    tide.pass(4_999)
    expect(cache.getOrSet({ key: 'k', load })).toBeNull()
    tide.pass(2)
    await new Promise((resolve) => setImmediate(resolve))
    await cache.getOrSet({ key: 'k', load })
    expect(load).toHaveBeenCalledTimes(2)
  })

  test('ends when a tag`s floor rises, and not when another`s does', async () => {
    const { tide, cache } = setUp()
    const load = vi.fn(() => 'v')
    const request = { key: 'k', tags: ['a', 'b'], load }
    await cache.getOrSet(request)
    tide.change('c')
    expect(cache.getOrSet(request)).toBe('v')
    tide.change('b')
    await cache.getOrSet(request)
    expect(load).toHaveBeenCalledTimes(2)
    expect(cache.stats().sunk).toBe(1)
  })

  test('ends with the epoch, though the new one gives the same positions', async () => {
    const { tide, cache } = setUp()
    tide.change('x')
    const load = vi.fn(() => 'v')
    await cache.getOrSet({ key: 'k', load })
    expect(cache.getOrSet({ key: 'k', load })).toBe('v')
    tide.newEpoch({ lost: 1 })
    expect(tide.follower.applied).toBe(1)
    await cache.getOrSet({ key: 'k', load })
    expect(load).toHaveBeenCalledTimes(2)
  })

  test('ends when the follower cannot show its lag any more: blind', async () => {
    const { tide, cache } = setUp({ maxLag: '2s' })
    const load = vi.fn(() => 'v')
    await cache.getOrSet({ key: 'k', load })
    tide.pass(2_000)
    expect(cache.hit('k')?.value).toBe('v')
    tide.pass(1)
    expect(cache.hit('k')).toBeUndefined()
    await cache.getOrSet({ key: 'k', load })
    expect(load).toHaveBeenCalledTimes(2)
    expect(cache.stats().unproven).toBe(1)
  })

  test('of HTTP is for `bounded` alone', async () => {
    const { cache } = setUp({ level: 'session' })
    await cache.getOrSet({ key: 'k', load: () => 'v' })
    expect(cache.getOrSet({ key: 'k', load: () => 'w' })).toBe('v')
    expect(cache.hit('k')).toBeUndefined()
  })
})

describe('what one request asks for', () => {
  test.each([[{ level: 'bounded' as const }], [{ level: 'bounded' as const, maxLag: '1h', ttl: '1h' }]])(
    'does not stay with the entry that it filled: the hit path goes by the resource`s level, not by %o',
    async (own) => {
      const { cache } = setUp({ level: 'strict' })
      expect(await cache.getOrSet({ key: 'k', load: () => 'v', ...own })).toBe('v')
      expect(cache.hit('k')).toBeUndefined()
    },
  )

  test('nor its lag; its ttl does', async () => {
    const { tide, cache } = setUp({ maxLag: '2s', ttl: '1m' })
    await cache.getOrSet({ key: 'k', load: () => 'v', maxLag: '1h', ttl: '5m' })
    tide.pass(2_001)
    expect(cache.hit('k')).toBeUndefined()
    expect(cache.peek('k')).toBeUndefined()
    tide.pass(60_000)
    tide.prove()
    expect(cache.hit('k')?.value).toBe('v')
  })

  test('a policy that comes with the request is the resource`s: it stays', async () => {
    const { cache } = setUp({ level: 'strict' })
    const policy = definePolicy({ level: 'bounded' })
    await cache.getOrSet({ key: 'k', policy, level: 'session', load: () => 'v' })
    expect(cache.hit('k')?.policy).toBe(policy)
  })
})

describe('a late fill', () => {
  test('a value loaded before the write sinks, though it is stored after it; its loader is served', async () => {
    const { tide, cache } = setUp()
    const old = gateway<string>()
    const first = cache.getOrSet({ key: 'k', tags: ['t'], load: () => old.promise })
    await Promise.resolve()
    tide.change('t')
    old.open('old')
    expect(await first).toBe('old')
    expect(cache.hit('k')).toBeUndefined()
    expect(await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })).toBe('new')
  })

  test('never replaces what was loaded later', async () => {
    const { tide, cache } = setUp()
    const old = gateway<string>()
    const first = cache.getOrSet({ key: 'k', tags: ['t'], load: () => old.promise })
    await Promise.resolve()
    tide.change('t')
    expect(await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })).toBe('new')
    old.open('old')
    await first
    expect(cache.hit('k')?.value).toBe('new')
  })

  test('an adrift follower loads and stores nothing', async () => {
    const tide = new HandLog()
    const cache = createCache({ follow: tide, namespace: 'n' })
    const load = vi.fn(() => 'v')
    expect(await cache.getOrSet({ key: 'k', load })).toBe('v')
    expect(cache.stats().l1Entries).toBe(0)
    tide.follow()
    expect(await cache.getOrSet({ key: 'k', load })).toBe('v')
    expect(load).toHaveBeenCalledTimes(2)
  })
})

describe('set', () => {
  test('stores with the stamp that its caller took before reading', async () => {
    const { tide, cache } = setUp()
    const stamp = cache.stamp()
    tide.change('t')
    expect(cache.set('k', 'old', { stamp, tags: ['t'] })).toBe(true)
    expect(cache.hit('k')).toBeUndefined()
    cache.set('k', 'new', { stamp: cache.stamp(), tags: ['t'] })
    expect(cache.hit('k')?.value).toBe('new')
    cache.set('k', 'older', { stamp, tags: [] })
    expect(cache.hit('k')?.value).toBe('new')
    expect(cache.set('k', 'v', { stamp: undefined })).toBe(false)
    await Promise.resolve()
  })
})

describe('invalidate', () => {
  test('goes through its port, and fails by name without one', async () => {
    const tide = handLog()
    const invalidate = vi.fn((tags: readonly string[]) => Promise.resolve(tide.change(...tags)))
    const cache = createCache({ follow: tide, namespace: 'n', invalidate })
    await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 1 })
    expect(await cache.invalidate(['t'], 'price list')).toEqual({ term: 1, position: 1 })
    expect(invalidate).toHaveBeenCalledWith(['t'], 'price list')
    expect(cache.hit('k')).toBeUndefined()
    const { follower, now, reach, head } = tide
    const bare = createCache({ follow: { follower, now, reach, head }, namespace: 'n' })
    await expect(bare.invalidate(['t'])).rejects.toMatchObject({ code: 'cache.no-invalidation' })
  })
})

describe('options', () => {
  test.each([
    [{ namespace: 'a:b' }, /namespace: "a:b"/],
    [{ prefix: '' }, /prefix/],
    [{ l1: { maxBytes: 0 } }, /maxBytes: 0/],
    [{ limits: { maxLoads: 1.5 } }, /maxLoads: 1.5/],
  ])('%o is refused by name', (options, message) => {
    expect(() => createCache({ follow: new HandLog(), namespace: 'n', ...options })).toThrow(message)
  })

  test('a closed cache says so', async () => {
    const { cache } = setUp()
    cache.close()
    await expect(cache.getOrSet({ key: 'k', load: () => 1 })).rejects.toMatchObject({ code: 'cache.closed' })
  })
})
