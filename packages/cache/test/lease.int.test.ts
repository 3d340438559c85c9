import { redisSpace, runChild, eventually } from '@tidemark/testkit'
import type { Child } from '@tidemark/testkit'
import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'

import { createCache } from '../src/index.js'
import { gateway, handLog } from '../src/testing/index.js'
import type { HandLog } from '../src/testing/index.js'
import { connectPatiently } from './real-redis.js'

let redis: Redis
let children: Child[] = []

beforeAll(async () => {
  redis = await connectPatiently(redisSpace().url)
})
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill('SIGKILL')))
  children = []
})
afterAll(() => {
  redis.disconnect()
})

const callers = async (count: number, orders: { callers: number; loadMs: number; lease: number }) => {
  const { url, prefix } = redisSpace()
  const args = [JSON.stringify({ url, prefix, ...orders })]
  children = Array.from({ length: count }, () =>
    runChild(new URL('./children/caller.ts', import.meta.url), { args }),
  )
  await Promise.all(children.map((child) => child.next('ready')))
  return { children, originCalls: async () => Number(await redis.get(`${prefix}:origin`)) }
}

test('one cold key, two processes, 500 callers each: the origin is asked once', async () => {
  const { children, originCalls } = await callers(2, { callers: 500, loadMs: 50, lease: 5_000 })
  for (const child of children) child.send({ type: 'go' })
  const done = await Promise.all(children.map((child) => child.next('done')))
  expect(await originCalls()).toBe(1)
  expect(new Set(done.flatMap(({ values }) => values as string[])).size).toBe(1)
})

test('the loading process is killed: when its lease ends one of the others loads, once', async () => {
  const lease = 600
  const { children, originCalls } = await callers(3, { callers: 50, loadMs: 200, lease })
  const [leader, ...others] = children as [Child, Child, Child]
  leader.send({ type: 'go' })
  await leader.next('loading')
  for (const child of others) child.send({ type: 'go' })
  await leader.kill('SIGKILL')
  const done = await Promise.all(others.map((child) => child.next('done')))
  expect(await originCalls()).toBe(2)
  expect(new Set(done.flatMap(({ values }) => values as string[])).size).toBe(1)
  for (const { tookMs } of done) expect(tookMs).toBeLessThan(lease + 200 + 1_500)
})

const twoProcesses = (policy = {}) => {
  const { prefix } = redisSpace()
  return [1, 2].map(() => {
    const tide = handLog()
    const options = { follow: tide, redis, prefix, namespace: 'n', now: tide.now }
    return {
      tide,
      cache: createCache({ ...options, policy: { ttl: '1m', maxLag: '1h', lease: 5_000, ...policy } }),
    }
  }) as [
    { tide: HandLog; cache: ReturnType<typeof createCache> },
    { tide: HandLog; cache: ReturnType<typeof createCache> },
  ]
}

test('a holder that stores what is sunk for a waiter leaves it the lease: the waiter loads at once', async () => {
  const [a, b] = twoProcesses()
  const old = gateway<string>()
  const tags = () => ['t']
  const first = a.cache.getOrSet({ key: 'k', tags, load: () => old.promise })
  await eventually(() => a.cache.stats().loading === 1)
  const second = b.cache.getOrSet({ key: 'k', tags, load: () => 'new' })
  await eventually(() => b.cache.stats().leaseWaits === 1)
  b.tide.change('t')
  old.open('old')
  expect(await first).toBe('old')
  expect(await second).toBe('new')
})

test('a load that began before a change that the claimant knows of holds nobody up: its lease is taken over', async () => {
  const [a, b] = twoProcesses()
  const old = gateway<string>()
  const first = a.cache.getOrSet({ key: 'k', tags: ['t'], load: () => old.promise })
  await eventually(() => a.cache.stats().loading === 1)
  b.tide.change('t')
  expect(await b.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })).toBe('new')
  expect(b.cache.stats()).toMatchObject({ leaseWaits: 0, leasesTaken: 1 })
  old.open('old')
  expect(await first).toBe('old')
  // What it stored late is older than what is there.
  const reader = b.cache.peek('k')
  expect(reader).toBe('new')
})

test('one takes the lease over, not each who comes after the change', async () => {
  const [a, b] = twoProcesses()
  const [old, fresh] = [gateway<string>(), gateway<string>()]
  const first = a.cache.getOrSet({ key: 'k', tags: ['t'], load: () => old.promise })
  await eventually(() => a.cache.stats().loading === 1)
  for (const { tide } of [a, b]) tide.change('t')
  const second = b.cache.getOrSet({ key: 'k', tags: ['t'], load: () => fresh.promise })
  await eventually(() => b.cache.stats().loading === 1)
  const load = vi.fn(() => 'a third')
  const third = a.cache.getOrSet({ key: 'k', tags: ['t'], load })
  await eventually(() => a.cache.stats().leaseWaits === 1)
  fresh.open('new')
  old.open('old')
  expect(await Promise.all([first, second, third])).toEqual(['old', 'new', 'new'])
  expect(load).not.toHaveBeenCalled()
})

test('a waiter takes a value that has sunk since it asked, but had not when it asked', async () => {
  const [a, b] = twoProcesses()
  const gate = gateway<string>()
  const load = vi.fn(() => 'loaded again')
  const first = a.cache.getOrSet({ key: 'k', tags: ['t'], load: () => gate.promise })
  await eventually(() => a.cache.stats().loading === 1)
  const second = b.cache.getOrSet({ key: 'k', tags: ['t'], load })
  await eventually(() => b.cache.stats().leaseWaits === 1)
  b.tide.change('t')
  gate.open('v')
  expect(await Promise.all([first, second])).toEqual(['v', 'v'])
  expect(load).not.toHaveBeenCalled()
  expect(b.cache.hit('k')).toBeUndefined()
})

test('a holder whose load fails, or gives nothing, gives the lease back at once', async () => {
  const [a, b] = twoProcesses()
  const startMs = performance.now()
  await expect(a.cache.getOrSet({ key: 'k', load: () => Promise.reject(new Error('down')) })).rejects.toThrow(
    'down',
  )
  await a.cache.getOrSet({ key: 'k', load: () => undefined })
  expect(await b.cache.getOrSet({ key: 'k', load: () => 'v' })).toBe('v')
  expect(performance.now() - startMs).toBeLessThan(2_500)
})

test('a value stored between the look and the claim is seen by the claim', async () => {
  const [a, b] = twoProcesses()
  const claims = vi.spyOn(redis, 'mgetBuffer').mockImplementationOnce(async () => {
    await a.cache.getOrSet({ key: 'k', load: () => 'first' })
    return [null]
  })
  const load = vi.fn(() => 'second')
  expect(await b.cache.getOrSet({ key: 'k', load })).toBe('first')
  expect(load).not.toHaveBeenCalled()
  claims.mockRestore()
})
