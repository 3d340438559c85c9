import { eventually, ownRedis, redisSpace } from '@tidemark/testkit'
import type { Redis } from 'ioredis'
import { afterEach, describe, expect, test } from 'vitest'

import type { CacheEventName, CacheEvents, CacheOptions } from '../src/index.js'
import { createCache, guardRedis, l2Traces, onCacheEvent } from '../src/index.js'
import { gateway, HandLog } from '../src/testing/index.js'
import { connect } from './real-redis.js'

let ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.reverse()) await end()
  ends = []
})

let caches = 0

const setUp = async (url: string, prefix: string, more: Partial<CacheOptions> = {}) => {
  const redis = await connect(url)
  ends.push(() => {
    redis.disconnect()
  })
  const tide = new HandLog().follow()
  const namespace = `told${++caches}`
  const process = () =>
    createCache({ follow: tide, redis, prefix, namespace, policy: { maxLag: '1h' }, ...more })
  const hear = <N extends CacheEventName>(name: N) => {
    const heard: CacheEvents[N][] = []
    ends.push(
      onCacheEvent(name, (event) => {
        if (event.namespace === namespace) heard.push(event)
      }),
    )
    return heard
  }
  return { redis, tide, namespace, process, hear }
}

const rewrite = async (redis: Redis, prefix: string, change: (bytes: Buffer) => Buffer) => {
  const [key] = await redis.keys(`${prefix}:*:v`)
  await redis.set(key!, change((await redis.getBuffer(key!))!))
}

test('Redis is in trouble: each call of it that fails is told, and the turns of its breaker', async () => {
  const server = await ownRedis()
  ends.push(() => server.remove())
  const { redis, process, hear } = await setUp(server.url, 'p')
  guardRedis(redis, { deadlineMs: 20, failuresToOpen: 3, probeAfterMs: 50 })
  const [trouble, breaker] = [hear('l2-trouble'), hear('breaker')]
  const cache = process()
  await server.pause()
  for (let i = 0; i < 4; i++) await cache.getOrSet({ key: `k${i}`, load: () => i })
  expect(trouble[0]).toMatchObject({ call: 'read', key: 'k0', error: expect.any(Error) as Error })
  expect(breaker[0]).toMatchObject({ from: 'closed', to: 'open' })
  await server.resume()
  await eventually(async () => {
    await cache.get('another')
    return breaker.at(-1)?.to === 'closed'
  })
  expect(cache.stats().redisErrors).toBe(trouble.length)
})

describe('what is held in L2', () => {
  test('a value found there and served; one that has sunk or cannot be read is told to be so', async () => {
    const { url, prefix } = redisSpace()
    const { redis, tide, process, hear } = await setUp(url, prefix)
    const [hit, sunk, undecodable] = [hear('hit-l2'), hear('sunk'), hear('undecodable')]
    const request = { key: 'k', tags: ['t'], load: () => 1 }
    await process().getOrSet(request)
    await eventually(async () => (await redis.keys(`${prefix}:*:v`)).length === 1)
    await process().getOrSet(request)
    expect(hit).toMatchObject([{ key: 'k', kind: '' }])
    tide.change('t')
    await process().getOrSet(request)
    expect(sunk).toMatchObject([
      { key: 'k', tier: 'l2' },
      { key: 'k', tier: 'l2' },
    ])
    await rewrite(redis, prefix, () => Buffer.from('not an envelope'))
    await process().get('k')
    expect(undecodable).toMatchObject([{ key: 'k' }])
  })

  test('a process that waits for the load of another says so', async () => {
    const { url, prefix } = redisSpace()
    const { process, hear } = await setUp(url, prefix)
    const waits = hear('lease-wait')
    const [one, other] = [process(), process()]
    const gate = gateway<number>()
    const first = one.getOrSet({ key: 'k', load: () => gate.promise })
    await eventually(() => one.stats().loads === 1)
    const second = other.getOrSet({ key: 'k', load: () => 2 })
    await eventually(() => other.stats().leaseWaits === 1)
    gate.open(1)
    expect(await Promise.all([first, second])).toEqual([1, 1])
    expect(waits).toMatchObject([{ key: 'k' }])
  })
})

test('each call of Redis is traced, with what it took', async () => {
  const { url, prefix } = redisSpace()
  const { namespace, process } = await setUp(url, prefix)
  const calls: unknown[] = []
  const listener = (event: unknown) => {
    if ((event as { namespace: string }).namespace === namespace) calls.push(event)
  }
  const { asyncEnd } = l2Traces()
  asyncEnd.subscribe(listener)
  ends.push(() => asyncEnd.unsubscribe(listener))
  await process().getOrSet({ key: 'k', load: () => 1 })
  await eventually(() => calls.length === 3)
  const durationMs = expect.any(Number) as number
  expect(calls).toMatchObject([
    { call: 'read', key: 'k', durationMs },
    { call: 'claim', key: 'k', durationMs },
    { call: 'store', key: 'k', durationMs },
  ])
})
