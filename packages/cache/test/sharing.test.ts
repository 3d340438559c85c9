import { describe, expect, test, vi } from 'vitest'

import { createCache } from '../src/index.js'
import { gateway, handLog, settle } from '../src/testing/index.js'

const setUp = (more: Partial<Parameters<typeof createCache>[0]> = {}) => {
  const tide = handLog()
  const cache = createCache({ follow: tide, namespace: 'n', policy: { ttl: '1m' }, ...more })
  return { tide, cache }
}

describe('a running load', () => {
  test('answers everyone who asks while it runs', async () => {
    const { cache } = setUp()
    const gate = gateway<string>()
    const load = vi.fn(() => gate.promise)
    const calls = Array.from({ length: 500 }, () => cache.getOrSet({ key: 'k', tags: ['t'], load }))
    await settle()
    gate.open('v')
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['v']))
    expect(load).toHaveBeenCalledTimes(1)
    expect(cache.stats().shared).toBe(499)
  })

  test('is not joined by a call that knows of a write it may have missed', async () => {
    const { tide, cache } = setUp()
    const gate = gateway<string>()
    const first = cache.getOrSet({ key: 'k', tags: ['t'], load: () => gate.promise })
    await settle()
    tide.change('t')
    const second = await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })
    expect(second).toBe('new')
    gate.open('old')
    expect(await first).toBe('old')
  })

  test('still answers a call that joined before the write: that call asked for no more', async () => {
    const { tide, cache } = setUp()
    const gate = gateway<string>()
    const load = vi.fn(() => gate.promise)
    const calls = [1, 2].map(() => cache.getOrSet({ key: 'k', tags: ['t'], load }))
    await settle()
    tide.change('t')
    gate.open('v')
    expect(await Promise.all(calls)).toEqual(['v', 'v'])
    expect(load).toHaveBeenCalledTimes(1)
  })

  test('whose value reveals a tag that has risen meanwhile does not answer those who joined', async () => {
    const { tide, cache } = setUp()
    const gate = gateway<{ brand: number }>()
    const tags = (value: { brand: number }) => [`brand:${value.brand}`]
    const first = cache.getOrSet({ key: 'k', tags, load: () => gate.promise })
    await settle()
    const second = cache.getOrSet({ key: 'k', tags, load: () => ({ brand: 8 }) })
    await settle()
    tide.change('brand:7')
    gate.open({ brand: 7 })
    expect(await first).toEqual({ brand: 7 })
    expect(await second).toEqual({ brand: 8 })
  })

  test.each([
    ['revealed', () => ['t']],
    ['given', ['t']],
  ])(
    'that began after a call asked answers it, whatever has changed since: no herd on %s tags',
    async (_, tags) => {
      const { tide, cache } = setUp()
      const gates = Array.from({ length: 10 }, () => gateway<string>())
      let loads = 0
      const load = () => gates[loads++]?.promise ?? Promise.resolve('one of a herd')
      const calls = Array.from({ length: 500 }, () => cache.getOrSet({ key: 'k', tags, load }))
      await settle()
      for (const [i, gate] of gates.entries()) {
        tide.pass(1)
        tide.change('t')
        gate.open(`v${i}`)
        await settle()
      }
      const values = await Promise.all(calls)
      expect(loads).toBeLessThanOrEqual(2)
      expect(new Set(values.slice(1)).size).toBe(1)
    },
  )

  test('that began after a call asked answers it while blind too', async () => {
    const { tide, cache } = setUp({ policy: { maxLag: '2s' } })
    const gates = [gateway<string>(), gateway<string>()]
    let loads = 0
    const request = { key: 'k', tags: () => ['t'], load: () => gates[loads++]!.promise }
    const calls = [cache.getOrSet(request), cache.getOrSet(request), cache.getOrSet(request)]
    await settle()
    tide.change('t')
    tide.pass(5_000)
    gates[0]!.open('v0')
    await settle()
    gates[1]!.open('v1')
    expect(await Promise.all(calls)).toEqual(['v0', 'v1', 'v1'])
    expect(loads).toBe(2)
  })

  test('of an epoch that has ended does not answer those who joined', async () => {
    const { tide, cache } = setUp()
    const gate = gateway<string>()
    const first = cache.getOrSet({ key: 'k', tags: ['t'], load: () => gate.promise })
    await settle()
    const second = cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })
    await settle()
    tide.newEpoch()
    gate.open('old')
    expect(await first).toBe('old')
    expect(await second).toBe('new')
  })

  test('while blind, is joined only if it began within the bound', async () => {
    const { tide, cache } = setUp({ policy: { maxLag: '2s' } })
    tide.pass(10_000)
    const gate = gateway<string>()
    const first = cache.getOrSet({ key: 'k', load: () => gate.promise })
    await settle()
    tide.pass(1_999)
    const second = cache.getOrSet({ key: 'k', load: () => 'second' })
    await settle()
    tide.pass(2)
    expect(await cache.getOrSet({ key: 'k', load: () => 'third' })).toBe('third')
    gate.open('first')
    expect(await Promise.all([first, second])).toEqual(['first', 'first'])
  })

  test('fails for everyone who waits, and its error is not kept', async () => {
    const { cache } = setUp()
    const gate = gateway<string>()
    const load = vi.fn(() => gate.promise)
    const calls = [1, 2, 3].map(() => cache.getOrSet({ key: 'k', load }))
    await settle()
    gate.fail(new Error('the origin is down'))
    for (const call of calls) await expect(call).rejects.toThrow('the origin is down')
    expect(await cache.getOrSet({ key: 'k', load: () => 'v' })).toBe('v')
    expect(load).toHaveBeenCalledTimes(1)
  })

  test('has so many waiting and no more', async () => {
    const { cache } = setUp({ limits: { maxJoiners: 2 } })
    const gate = gateway<string>()
    const calls = [1, 2, 3].map(() => cache.getOrSet({ key: 'k', load: () => gate.promise }))
    await settle()
    await expect(cache.getOrSet({ key: 'k', load: () => 'v' })).rejects.toMatchObject({
      code: 'cache.overloaded',
    })
    gate.open('v')
    await Promise.all(calls)
  })
})

describe('hardTimeout', () => {
  test('ends the call and aborts the loader`s signal', async () => {
    const { cache } = setUp()
    const seen: { signal?: AbortSignal } = {}
    const call = cache.getOrSet({
      key: 'k',
      hardTimeout: 20,
      load: ({ signal }) => {
        seen.signal = signal
        return new Promise<string>(() => undefined)
      },
    })
    await expect(call).rejects.toMatchObject({ code: 'cache.load-timeout' })
    expect(seen.signal?.aborted).toBe(true)
    expect(cache.stats().loading).toBe(0)
  })

  test.each([['25d'], [Infinity]])(
    'of %s is no timer that fires at once, nor one that does not',
    async (hardTimeout) => {
      const { cache } = setUp({ limits: { maxLoads: 1 } })
      const gate = gateway<string>()
      const running = cache.getOrSet({ key: 'k', hardTimeout, load: () => gate.promise })
      const queued = cache.getOrSet({ key: 'l', hardTimeout, load: () => 'w' })
      await new Promise((resolve) => setTimeout(resolve, 10)) // such a timer fires after 1 ms
      gate.open('v')
      expect(await running).toBe('v')
      expect(await queued).toBe('w')
    },
  )

  test('of a call that joined is its own', async () => {
    const { cache } = setUp()
    const gate = gateway<string>()
    const first = cache.getOrSet({ key: 'k', load: () => gate.promise })
    await settle()
    await expect(cache.getOrSet({ key: 'k', hardTimeout: 20, load: () => 'v' })).rejects.toMatchObject({
      code: 'cache.load-timeout',
    })
    gate.open('v')
    expect(await first).toBe('v')
  })
})

describe('hardTimeout of a call that joins twice', () => {
  test('counts from when it asked, not from when it joined the second load', async () => {
    vi.useFakeTimers()
    try {
      const { tide, cache } = setUp()
      const [first, second] = [gateway<{ brand: number }>(), gateway<{ brand: number }>()]
      const tags = ({ brand }: { brand: number }) => [`brand:${brand}`]
      const runningFirst = cache.getOrSet({ key: 'k', tags, load: () => first.promise })
      await vi.advanceTimersByTimeAsync(1)
      const asked = cache.getOrSet({ key: 'k', tags, hardTimeout: 100, load: () => ({ brand: 9 }) })
      let ended: unknown
      Promise.resolve(asked).catch((error: unknown) => (ended = error))
      await vi.advanceTimersByTimeAsync(1)
      tide.change('brand:7')
      const runningSecond = cache.getOrSet({
        key: 'k',
        tags: ['u'],
        level: 'strict',
        load: () => second.promise,
      })
      tide.pass(90)
      await vi.advanceTimersByTimeAsync(90)
      first.open({ brand: 7 })
      await vi.advanceTimersByTimeAsync(0)
      tide.pass(20)
      await vi.advanceTimersByTimeAsync(20)
      expect(ended).toMatchObject({ code: 'cache.load-timeout' })
      second.open({ brand: 8 })
      await Promise.all([runningFirst, runningSecond])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('too many loads', () => {
  test('wait for their turn up to a bound; the next is refused by name', async () => {
    const { cache } = setUp({ limits: { maxLoads: 1, maxQueuedLoads: 1 } })
    const gate = gateway<string>()
    const first = cache.getOrSet({ key: 'a', load: () => gate.promise })
    const second = cache.getOrSet({ key: 'b', load: () => 'b' })
    await settle()
    expect(cache.stats()).toMatchObject({ loading: 1, queued: 1 })
    await expect(cache.getOrSet({ key: 'c', load: () => 'c' })).rejects.toMatchObject({
      code: 'cache.overloaded',
    })
    gate.open('a')
    expect(await Promise.all([first, second])).toEqual(['a', 'b'])
    expect(cache.stats()).toMatchObject({ loading: 0, queued: 0, overloaded: 1 })
  })

  test('a load that waits takes its stamp when its turn comes, not when it asked', async () => {
    const { tide, cache } = setUp({ limits: { maxLoads: 1 } })
    const gate = gateway<string>()
    const first = cache.getOrSet({ key: 'a', load: () => gate.promise })
    const second = cache.getOrSet({ key: 'b', tags: ['t'], load: () => 'b' })
    await settle()
    tide.change('t')
    gate.open('a')
    await Promise.all([first, second])
    expect(cache.hit('b')?.value).toBe('b')
  })
})

describe('getOrSetMany', () => {
  test('loads what is missing in one go; the rest is not asked for again', async () => {
    const { cache } = setUp()
    const load = vi.fn((keys: readonly string[]) => new Map(keys.map((key) => [key, `v${key}`])))
    await cache.getOrSet({ key: 'b', tags: ['b'], load: () => 'vb' })
    const request = { keys: ['a', 'b', 'c', 'a'], tags: (key: string) => [key], load }
    expect([...(await cache.getOrSetMany(request))]).toEqual([
      ['a', 'va'],
      ['b', 'vb'],
      ['c', 'vc'],
    ])
    expect(load.mock.calls.map(([keys]) => keys)).toEqual([['a', 'c']])
    expect(cache.getOrSetMany(request)).toBeInstanceOf(Map)
  })

  test('shares each key: with a single load under way, and with another batch', async () => {
    const { cache } = setUp()
    const gate = gateway<string>()
    const single = cache.getOrSet({ key: 'a', load: () => gate.promise })
    const load = vi.fn(async (keys: readonly string[]) => {
      await settle()
      return new Map(keys.map((key) => [key, `many ${key}`]))
    })
    const one = cache.getOrSetMany({ keys: ['a', 'b'], load })
    const two = cache.getOrSetMany({ keys: ['b', 'c'], load })
    await settle()
    gate.open('single a')
    expect(await single).toBe('single a')
    expect(Object.fromEntries(await one)).toEqual({ a: 'single a', b: 'many b' })
    expect(Object.fromEntries(await two)).toEqual({ b: 'many b', c: 'many c' })
    expect(load.mock.calls.map(([keys]) => keys)).toEqual([['b'], ['c']])
  })

  test('fences each key on its own: a write during the load sinks that key alone', async () => {
    const { tide, cache } = setUp()
    const gate = gateway<Map<string, string>>()
    const call = cache.getOrSetMany({ keys: ['a', 'b'], tags: (key) => [key], load: () => gate.promise })
    await settle()
    tide.change('a')
    gate.open(new Map(Object.entries({ a: '1', b: '2' })))
    await call
    expect(cache.hit('a')).toBeUndefined()
    expect(cache.hit('b')?.value).toBe('2')
  })

  test('a key without a value is left out; null is one; too many keys are refused', async () => {
    const { cache } = setUp({ limits: { maxKeys: 3 } })
    const values = await cache.getOrSetMany<string | null>({
      keys: ['a', 'b'],
      load: () => new Map([['b', null]]),
    })
    expect([...values]).toEqual([['b', null]])
    await expect(cache.getOrSetMany({ keys: ['1', '2', '3', '4'], load: () => new Map() })).rejects.toThrow(
      /keys: 4/,
    )
  })
})
