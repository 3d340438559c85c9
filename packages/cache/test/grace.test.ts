import { describe, expect, test, vi } from 'vitest'

import { createCache } from '../src/index.js'
import { gateway, handLog, settle } from '../src/testing/index.js'
import type { HandLog } from '../src/testing/index.js'

const down = () => Promise.reject(new Error('the origin is down'))

const setUp = async (policy = {}, limits = {}) => {
  const tide = handLog()
  const cache = createCache({
    follow: tide,
    namespace: 'n',
    policy: { ttl: '1m', grace: '1h', maxLag: '2s', ...policy },
    limits,
    random: () => 1,
  })
  await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'old' })
  return { tide, cache, read: (more = {}) => cache.read({ key: 'k', tags: ['t'], load: down, ...more }) }
}

describe('grace', () => {
  test('of a call counts for that call, also where the value is kept for longer', async () => {
    const { tide, read } = await setUp()
    tide.pass(30 * 60_000)
    tide.prove()
    await expect(read({ grace: '1s' })).rejects.toThrow('the origin is down')
    expect(await read()).toMatchObject({ value: 'old', stale: true })
  })

  test.each([
    ['sunk', (tide: HandLog) => void tide.change('t')],
    [
      'expired',
      (tide: HandLog) => {
        tide.pass(61_000)
        tide.prove()
      },
    ],
    [
      'unproven',
      (tide: HandLog) => {
        tide.pass(3_000)
      },
    ],
  ])(
    'serves a value that is %s when it cannot be loaded: labelled, with its old stamp',
    async (_why, spoil) => {
      const { tide, cache, read } = await setUp()
      spoil(tide)
      const answer = await read()
      expect(answer).toMatchObject({ value: 'old', from: 'stale', stale: true, tidemark: { tidemark: 0 } })
      expect(answer.token).toBeUndefined()
      expect(cache.hit('k')).toBeUndefined()
      expect(cache.stats().staleServed).toBe(1)
    },
  )

  test('ends', async () => {
    const { tide, read } = await setUp()
    tide.pass(60_000 + 3_600_000 + 1)
    await expect(read()).rejects.toThrow('the origin is down')
  })

  test('is not there unless the policy gives it', async () => {
    const { tide, read } = await setUp({ grace: 0 })
    tide.change('t')
    await expect(read()).rejects.toThrow('the origin is down')
  })

  test('never answers a request with a token, nor session, nor strict', async () => {
    const { tide, read } = await setUp()
    const token = tide.change('t')
    for (const more of [
      { token },
      { token: { term: 1, position: 0 } },
      { level: 'session' },
      { level: 'strict' },
    ])
      await expect(read(more)).rejects.toThrow('the origin is down')
  })

  test('answers when the load takes too long, or cannot begin', async () => {
    const { tide, cache, read } = await setUp({}, { maxLoads: 1, maxQueuedLoads: 1 })
    tide.change('t')
    expect(await read({ hardTimeout: 10, load: () => new Promise(() => undefined) })).toMatchObject({
      stale: true,
    })
    tide.pass(60_000)
    tide.prove()
    const gate = gateway<number>()
    const others = ['x', 'y'].map((key) => cache.getOrSet({ key, load: () => gate.promise }))
    await settle()
    expect(await read()).toMatchObject({ stale: true })
    gate.open(1)
    await Promise.all(others)
  })

  test('leaves a failing origin alone for a growing while, and a good load ends that', async () => {
    const { tide, cache } = await setUp()
    tide.change('t')
    const load = vi.fn<() => string | Promise<string>>(down)
    const ask = () => cache.getOrSet({ key: 'k', tags: ['t'], load })
    for (let i = 0; i < 10; i++) expect(await ask()).toBe('old')
    expect(load).toHaveBeenCalledTimes(1)
    tide.pass(201)
    for (let i = 0; i < 10; i++) await ask()
    expect(load).toHaveBeenCalledTimes(2)
    tide.pass(201)
    await ask()
    expect(load).toHaveBeenCalledTimes(2)
    tide.pass(200)
    tide.prove()
    load.mockImplementation(() => 'new')
    expect(await ask()).toBe('new')
    expect(cache.hit('k')?.value).toBe('new')
  })

  test('at the soft timeout serves what is held; the load goes on and its value is kept', async () => {
    const { tide, cache, read } = await setUp({ timeout: 10 })
    tide.change('t')
    const gate = gateway<string>()
    expect(await read({ load: () => gate.promise })).toMatchObject({ value: 'old', stale: true })
    gate.open('new')
    await settle()
    expect(cache.hit('k')?.value).toBe('new')
  })

  test('an origin that is late is left alone like one that fails: who comes next does not wait again', async () => {
    const { tide, cache } = await setUp({ timeout: 10 })
    tide.change('t')
    const gate = gateway<string>()
    const load = vi.fn(() => gate.promise)
    const ask = () => cache.read({ key: 'k', tags: ['t'], load, maxLag: 0 })
    expect(await ask()).toMatchObject({ value: 'old', stale: true })
    for (let i = 0; i < 10; i++) {
      tide.pass(5)
      expect(await ask()).toMatchObject({ value: 'old', stale: true })
    }
    expect(load).toHaveBeenCalledTimes(1)
    gate.open('new')
    await settle()
    tide.prove()
    expect(cache.hit('k')?.value).toBe('new')
  })
})
