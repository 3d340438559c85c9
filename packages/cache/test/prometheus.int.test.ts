import { redisSpace } from '@tidemark/testkit'
import type { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createCache } from '../src/index.js'
import { cacheMetrics } from '../src/prometheus/index.js'
import { HandLog } from '../src/testing/index.js'
import { connect } from './real-redis.js'

const space = redisSpace()
let redis: Redis

beforeAll(async () => {
  redis = await connect(space.url)
})
afterAll(() => {
  redis.disconnect()
})

const cacheOf = (namespace: string) =>
  createCache({ follow: new HandLog().follow(), redis, prefix: space.prefix, namespace })

const valueOf = (text: string, metric: string): number | undefined => {
  const line = text.split('\n').find((each) => each.startsWith(`${metric} `))
  return line === undefined ? undefined : Number(line.slice(metric.length))
}

test('several caches in one registry, by namespace, read when scraped', async () => {
  const register = new Registry()
  const metrics = cacheMetrics({ register })
  const [a, b] = [cacheOf('a'), cacheOf('b')]
  metrics.add(a)
  metrics.add(b)
  await a.getOrSet({ key: 'k', load: () => 1 })
  await a.getOrSet({ key: 'k', load: () => 1 })
  const down = () => Promise.reject(new Error('down'))
  await expect(b.getOrSet<number>({ key: 'k', load: down })).rejects.toThrow('down')
  const text = await register.metrics()
  expect(valueOf(text, 'tidemark_cache_answers_total{namespace="a",layer="l1"}')).toBe(1)
  expect(valueOf(text, 'tidemark_cache_answers_total{namespace="a",layer="origin"}')).toBe(1)
  expect(valueOf(text, 'tidemark_cache_load_errors_total{namespace="b"}')).toBe(1)
  expect(valueOf(text, 'tidemark_cache_l1_entries{namespace="a"}')).toBe(1)
  expect(valueOf(text, 'tidemark_cache_l1_bytes{namespace="a"}')).toBe(a.stats().l1Bytes)
  expect(valueOf(text, 'tidemark_cache_redis_breaker{namespace="a",state="closed"}')).toBe(1)
  expect(valueOf(text, 'tidemark_cache_load_duration_seconds_count{namespace="a",result="ok"}')).toBe(1)
  expect(valueOf(text, 'tidemark_cache_load_duration_seconds_count{namespace="b",result="error"}')).toBe(1)
  expect(valueOf(text, 'tidemark_cache_redis_duration_seconds_count{namespace="a",call="read"}')).toBe(1)
  // A counter is what it is, however often it is scraped.
  expect(valueOf(await register.metrics(), 'tidemark_cache_answers_total{namespace="a",layer="l1"}')).toBe(1)
  metrics.remove(a)
  expect(await register.metrics()).not.toContain('tidemark_cache_answers_total{namespace="a"')
  metrics.stop()
  expect(await register.metrics()).not.toContain('tidemark_cache_')
})

test('no label holds a key, and each has a handful of values', async () => {
  const register = new Registry()
  const metrics = cacheMetrics({ register })
  const cache = cacheOf('c')
  metrics.add(cache)
  for (let i = 0; i < 50; i++)
    await cache.getOrSet({ key: `secret ${i}`, tags: [`secret tag ${i}`], load: () => i })
  const text = await register.metrics()
  metrics.stop()
  expect(text).not.toContain('secret')
  expect(
    text.split('\n').filter((line) => !line.startsWith('#') && !line.includes('_bucket')).length,
  ).toBeLessThan(60)
})
