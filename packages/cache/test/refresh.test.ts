import { describe, expect, test, vi } from 'vitest'

import { earliestMs, isEarly } from '../src/early-refresh.js'
import { createCache } from '../src/index.js'
import { gateway, handLog, settle } from '../src/testing/index.js'
import type { HandLog } from '../src/testing/index.js'

const setUp = (policy = {}, more = {}) => {
  const tide = handLog()
  const cache = createCache({ follow: tide, namespace: 'n', policy: { ttl: '1m', ...policy }, ...more })
  const pass = (ms: number): void => {
    tide.pass(ms)
    tide.prove()
  }
  return { tide, cache, pass }
}

/** A load that takes `ms` of the hand-driven clock. */
const costs = (tide: HandLog, ms: number, value: unknown) => () => {
  tide.pass(ms)
  tide.prove()
  return value
}

describe('early refresh', () => {
  test('the chance grows towards the end, with the cost and with beta, as the paper has it', () => {
    const share = (leftMs: number, costMs: number, beta: number) =>
      Array.from({ length: 1_000 }, (_, i) => isEarly(leftMs, costMs, beta, () => i / 1_000)).filter(Boolean)
        .length / 1_000
    expect(share(100, 100, 1)).toBeCloseTo(Math.exp(-1), 2)
    expect(share(200, 100, 1)).toBeCloseTo(Math.exp(-2), 2)
    expect(share(200, 100, 2)).toBeCloseTo(Math.exp(-1), 2)
    expect(share(0, 100, 1)).toBe(1)
    expect(share(1, 100, 0)).toBe(0)
    expect(earliestMs(10_000, 100, 1)).toBe(8_000)
    expect(earliestMs(10_000, 100, 0)).toBe(10_000)
  })

  test('a hit near the end is answered at once, and the next load runs behind it', async () => {
    const { tide, cache, pass } = setUp({ beta: 1 }, { random: () => 0.99 })
    await cache.getOrSet({ key: 'k', load: costs(tide, 1_000, 'old') })
    pass(58_000)
    const gate = gateway<string>()
    const load = vi.fn(() => gate.promise)
    expect(cache.getOrSet({ key: 'k', load })).toBe('old')
    expect(cache.getOrSet({ key: 'k', load })).toBe('old')
    await settle()
    expect(load).toHaveBeenCalledTimes(1)
    gate.open('new')
    await settle()
    expect(cache.getOrSet({ key: 'k', load })).toBe('new')
    expect(cache.stats()).toMatchObject({ refreshes: 1, misses: 1 })
  })

  test('an unlucky draw, beta 0, or a value far from its end: no load', async () => {
    for (const [random, beta, passed] of [
      [0.01, 1, 58_000],
      [0.99, 0, 58_000],
      [0.99, 1, 30_000],
    ] as const) {
      const { tide, cache, pass } = setUp({ beta }, { random: () => random })
      await cache.getOrSet({ key: 'k', load: costs(tide, 1_000, 'old') })
      pass(passed)
      const load = vi.fn(() => 'new')
      expect(cache.getOrSet({ key: 'k', load })).toBe('old')
      await settle()
      expect(load).not.toHaveBeenCalled()
    }
  })

  test('the hit path of a server leaves a value near its end to `read`, which draws', async () => {
    const { tide, cache, pass } = setUp({ beta: 1 }, { random: () => 0.99 })
    await cache.getOrSet({ key: 'k', load: costs(tide, 1_000, 'old') })
    expect(cache.hit('k')?.value).toBe('old')
    pass(58_000)
    expect(cache.hit('k')).toBeUndefined()
    const load = vi.fn(() => 'new')
    expect(cache.read({ key: 'k', load })).toMatchObject({ value: 'old', from: 'l1' })
    await settle()
    expect(load).toHaveBeenCalledTimes(1)
  })

  test('a refresh that fails costs nobody anything, and is not tried again at once', async () => {
    const { tide, cache, pass } = setUp({ beta: 1 }, { random: () => 0.99 })
    await cache.getOrSet({ key: 'k', load: costs(tide, 1_000, 'old') })
    pass(58_000)
    const load = vi.fn(() => Promise.reject(new Error('down')))
    expect(cache.getOrSet({ key: 'k', load })).toBe('old')
    await settle()
    expect(cache.getOrSet({ key: 'k', load })).toBe('old')
    await settle()
    expect(load).toHaveBeenCalledTimes(1)
  })
})

describe('stale-while-revalidate, timeout 0', () => {
  test('a value within its grace is served at once, labelled, while one load runs behind it', async () => {
    const { tide, cache } = setUp({ grace: '1h', timeout: 0 })
    await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'old' })
    tide.change('t')
    const gate = gateway<string>()
    const load = vi.fn(() => gate.promise)
    for (let i = 0; i < 3; i++)
      expect(await cache.read({ key: 'k', tags: ['t'], load })).toMatchObject({ value: 'old', from: 'stale' })
    expect(load).toHaveBeenCalledTimes(1)
    gate.open('new')
    await settle()
    expect(cache.getOrSet({ key: 'k', tags: ['t'], load })).toBe('new')
  })

  test('a request with a token is never given one', async () => {
    const { tide, cache } = setUp({ grace: '1h', timeout: 0 })
    await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'old' })
    const token = tide.change('t')
    expect(await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new', token })).toBe('new')
  })
})

describe('refresh on sink', () => {
  const use = (cache: ReturnType<typeof setUp>['cache'], load: () => unknown, times: number) =>
    Promise.all(Array.from({ length: times }, () => cache.getOrSet({ key: 'k', tags: ['t'], load })))

  test('a key that callers use is loaded as soon as it sinks, before anybody asks', async () => {
    const { tide, cache } = setUp({ refreshOnSink: true })
    let value = 0
    const load = vi.fn(() => ++value)
    await use(cache, load, 1)
    await use(cache, load, 4)
    tide.change('t')
    await use(cache, load, 5)
    expect(cache.stats().hotKeys).toBe(1)
    tide.change('t')
    await settle()
    expect(load).toHaveBeenCalledTimes(3)
    expect(cache.peek('k')).toBe(3)
  })

  test('many changes in one turn make one look, and other keys are left alone', async () => {
    const { tide, cache } = setUp({ refreshOnSink: true })
    const load = vi.fn(() => 1)
    await use(cache, load, 6)
    tide.change('t')
    await use(cache, load, 6)
    for (let i = 0; i < 10; i++) tide.change('t')
    tide.change('u')
    await settle()
    expect(load).toHaveBeenCalledTimes(3)
  })

  test('a key that sinks hardly used is forgotten, and without the word nothing is loaded', async () => {
    for (const policy of [{ refreshOnSink: true }, {}]) {
      const { tide, cache } = setUp(policy)
      const load = vi.fn(() => 1)
      await use(cache, load, 6)
      tide.change('t')
      await use(cache, load, 2)
      tide.change('t')
      await settle()
      expect(load).toHaveBeenCalledTimes(2)
      expect(cache.stats().hotKeys).toBe(0)
    }
  })

  test('only so many keys are looked after', async () => {
    const { tide, cache } = setUp({ refreshOnSink: true }, { limits: { maxHotKeys: 2 } })
    for (const key of ['a', 'b', 'c']) {
      for (let i = 0; i < 6; i++) await cache.getOrSet({ key, tags: ['t'], load: () => 1 })
    }
    tide.change('t')
    for (const key of ['a', 'b', 'c']) await cache.getOrSet({ key, tags: ['t'], load: () => 1 })
    expect(cache.stats().hotKeys).toBe(2)
  })

  test('a closed cache loads nothing more', async () => {
    const { tide, cache } = setUp({ refreshOnSink: true })
    const load = vi.fn(() => 1)
    await use(cache, load, 6)
    tide.change('t')
    await use(cache, load, 6)
    await cache.close()
    tide.change('t')
    await settle()
    expect(load).toHaveBeenCalledTimes(2)
  })
})
