import { ownRedis, eventually } from '@tidemark/testkit'
import type { OwnServer } from '@tidemark/testkit'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { createCache, guardRedis } from '../src/index.js'
import { handLog } from '../src/testing/index.js'
import { connect } from './real-redis.js'

let server: OwnServer
let clients: Redis[] = []

beforeEach(async () => {
  server = await ownRedis()
})
afterEach(async () => {
  for (const client of clients) client.disconnect()
  clients = []
  await server.remove()
})

const setUp = async (namespace = 'n') => {
  const redis = await connect(server.url)
  clients.push(redis)
  const tide = handLog()
  return { redis, tide, cache: createCache({ follow: tide, redis, namespace, policy: { maxLag: '1h' } }) }
}

const timed = async (run: () => unknown): Promise<number> => {
  const startMs = performance.now()
  await run()
  return performance.now() - startMs
}

test('Redis hangs, all settings at their defaults: a cold key costs a deadline and the load, then the load alone', async () => {
  const { cache } = await setUp()
  await cache.getOrSet({ key: 'warm', load: () => 'w' })
  await server.pause()
  expect(await timed(() => cache.getOrSet({ key: 'cold', load: () => 'c' }))).toBeLessThan(400)
  expect(cache.getOrSet({ key: 'warm', load: () => 'x' })).toBe('w')
  for (let i = 0; i < 8; i++) await cache.getOrSet({ key: `cold ${i}`, load: () => i })
  expect(cache.stats().breaker).toBe('open')
  const load = vi.fn(() => 'v')
  expect(await timed(() => cache.getOrSet({ key: 'another', load }))).toBeLessThan(45)
  expect(load).toHaveBeenCalledTimes(1)
})

test('Redis wakes up: L2 is used again, and no lease of the time it hung stands in the way', async () => {
  const { cache, redis } = await setUp()
  await server.pause()
  for (let i = 0; i < 3; i++) await cache.getOrSet({ key: `k${i}`, load: () => i })
  await server.resume()
  await eventually(async () => {
    cache.set('back', 1, { stamp: cache.stamp() })
    return (await redis.exists('tidemark:{n:back}:v')) === 1
  })
  expect(await redis.keys('tidemark:*:l')).toEqual([])
})

test('a claim that was given up is undone when Redis carries it out after all', async () => {
  const { redis } = await setUp()
  const tide = handLog()
  const cache = createCache({ follow: tide, redis, namespace: 'late', policy: { lease: '1h' } })
  // Redis hangs between the read and the claim.
  const mget = vi.spyOn(redis, 'mgetBuffer').mockImplementationOnce(async () => {
    await server.pause()
    return [null]
  })
  expect(await cache.getOrSet({ key: 'k', load: () => 'v' })).toBe('v')
  await server.resume()
  mget.mockRestore()
  await eventually(
    async () => (await redis.exists('tidemark:{late:k}:l')) === 0 && (await redis.info('stats')) !== '',
  )
})

test('Redis is killed and comes back: nobody notices but by counters, and nothing is restarted', async () => {
  const { cache, redis } = await setUp()
  await cache.getOrSet({ key: 'k', load: () => 'v' })
  await server.kill()
  expect(await timed(() => cache.getOrSet({ key: 'k2', load: () => 'v2' }))).toBeLessThan(400)
  expect(cache.getOrSet({ key: 'k', load: () => 'x' })).toBe('v')
  expect(cache.stats().redisErrors).toBeGreaterThan(0)
  await server.start()
  await eventually(
    async () => {
      cache.set('back', 1, { stamp: cache.stamp() })
      return (await redis.exists('tidemark:{n:back}:v')) === 1
    },
    { timeoutMs: 15_000 },
  )
  await eventually(() => cache.stats().breaker === 'closed')
})

test('namespaces on one client share one breaker', async () => {
  const { cache, redis } = await setUp('a')
  const other = createCache({ follow: handLog(), redis, namespace: 'b' })
  await server.pause()
  for (let i = 0; i < 8; i++) await cache.getOrSet({ key: `${i}`, load: () => i })
  expect(other.stats().breaker).toBe('open')
})

test('only so many calls wait for Redis; the next is not made', async () => {
  const { redis } = await setUp()
  const client = redis.duplicate()
  clients.push(client)
  await eventually(() => client.status === 'ready')
  const guard = guardRedis(client, { maxInFlight: 2, deadlineMs: 5_000 })
  await server.pause()
  const waiting = [1, 2].map(() => guard.nodeOf('k').run((each) => each.ping()))
  expect(await timed(() => guard.nodeOf('k').run((each) => each.ping()))).toBeLessThan(100)
  await server.resume()
  for (const reply of await Promise.all(waiting)) expect(reply).toEqual({ ok: true, value: 'PONG' })
})

test('a cache whose Redis was never there works from its origin', async () => {
  const redis = new Redis({ host: '127.0.0.1', port: 1 })
  redis.on('error', () => undefined)
  clients.push(redis)
  const cache = createCache({ follow: handLog(), redis, namespace: 'n' })
  expect(await timed(() => cache.getOrSet({ key: 'k', load: () => 'v' }))).toBeLessThan(400)
  expect(cache.getOrSet({ key: 'k', load: () => 'x' })).toBe('v')
})
