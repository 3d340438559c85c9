import { eventually, ownCluster, ownSentinel, redisSpace } from '@tidemark/testkit'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import type { CacheOptions } from '../src/index.js'
import { createCache, guardRedis } from '../src/index.js'
import { gateway, handLog } from '../src/testing/index.js'
import { connectPatiently } from './real-redis.js'

interface Place {
  readonly client: Redis | Cluster
  readonly prefix: string
  /** Each server's own client. */
  readonly servers: readonly Redis[]
  close(): Promise<void>
}

const places: Record<string, () => Promise<Place>> = {
  'one Redis': async () => {
    const { url, prefix } = redisSpace()
    const client = await connectPatiently(url)
    return { client, prefix, servers: [client], close: () => Promise.resolve(client.disconnect()) }
  },
  Sentinel: async () => {
    const set = await ownSentinel()
    const client = new Redis({ sentinels: [...set.sentinels], name: set.name })
    await eventually(async () => (await client.ping()) === 'PONG')
    guardRedis(client, { deadlineMs: 5_000 })
    const close = async () => {
      client.disconnect()
      await set.remove()
    }
    return { client, prefix: 'p', servers: [client], close }
  },
  Cluster: async () => {
    const cluster = await ownCluster()
    const client = new Cluster([...cluster.nodes])
    await eventually(() => client.status === 'ready')
    guardRedis(client, { deadlineMs: 5_000 })
    const close = async () => {
      client.disconnect()
      await cluster.remove()
    }
    return { client, prefix: 'p', servers: client.nodes('master'), close }
  },
}

describe.each(Object.keys(places))('L2 on %s', (name) => {
  let place: Place
  beforeAll(async () => {
    place = await places[name]!()
  })
  afterAll(() => place.close())

  let namespaces = 0
  const world = () => {
    const namespace = `n${++namespaces}`
    const process = (policy: CacheOptions['policy'] = {}) => {
      const tide = handLog()
      const { client: redis, prefix } = place
      const options = { follow: tide, redis, prefix, namespace }
      return {
        tide,
        cache: createCache({ ...options, policy: { ttl: '1m', maxLag: '1h', lease: 5_000, ...policy } }),
      }
    }
    const valueKey = (key: string) => `${place.prefix}:{${namespace}:${key}}:v`
    const leaseKey = (key: string) => `${place.prefix}:{${namespace}:${key}}:l`
    const isStored = (key: string) => eventually(async () => (await place.client.exists(valueKey(key))) === 1)
    return { process, valueKey, leaseKey, isStored }
  }
  const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)

  test('what one process loaded another reads, whichever server has it, and with its own stamp', async () => {
    const { process, isStored } = world()
    const [a, b] = [process(), process()]
    const fill = (asked: readonly string[]) => new Map(asked.map((key) => [key, `first ${key}`]))
    await a.cache.getOrSetMany({ keys, tags: (key) => [key], load: fill })
    for (const key of keys) await isStored(key)
    b.tide.change('k7')
    const load = vi.fn((asked: readonly string[]) => new Map(asked.map((key) => [key, `second ${key}`])))
    const values = await b.cache.getOrSetMany({ keys, tags: (key) => [key], load })
    expect(load.mock.calls.map(([asked]) => asked)).toEqual([['k7']])
    expect(values.get('k6')).toBe('first k6')
    expect(values.get('k7')).toBe('second k7')
    expect(b.cache.stats()).toMatchObject({ redisErrors: 0, breaker: 'closed' })
  })

  test('a fill that ends after the write it missed is sunk for everyone', async () => {
    const { process, isStored } = world()
    const [a, b] = [process(), process()]
    const old = gateway<string>()
    const filling = a.cache.getOrSet({ key: 'k', tags: ['t'], load: () => old.promise })
    await eventually(() => a.cache.stats().loading === 1)
    for (const { tide } of [a, b]) tide.change('t')
    old.open('old')
    expect(await filling).toBe('old')
    await isStored('k')
    for (const { cache } of [a, b])
      expect(await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })).toBe('new')
  })

  test('a store never goes over a newer one', async () => {
    const { process, isStored } = world()
    const [slow, fast, other] = [process(), process(), process()]
    const stamp = slow.cache.stamp()
    for (const { tide } of [slow, fast, other]) tide.change('t')
    fast.cache.set('k', 'new', { stamp: fast.cache.stamp(), tags: ['t'] })
    await isStored('k')
    slow.cache.set('k', 'old', { stamp, tags: ['t'] })
    // The read goes out behind it, to the same server.
    expect(await other.cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'loaded' })).toBe('new')
  })

  test('one loads, the others wait for its value; the lease is given back with the store', async () => {
    const { process, leaseKey } = world()
    const processes = [process(), process(), process()]
    const gate = gateway<string>()
    const load = vi.fn(() => gate.promise)
    const calls = processes.map(({ cache }) => Promise.resolve(cache.getOrSet({ key: 'k', load })))
    await eventually(
      () => processes.map(({ cache }) => cache.stats().leaseWaits).reduce((a, b) => a + b) === 2,
    )
    gate.open('v')
    expect(await Promise.all(calls)).toEqual(['v', 'v', 'v'])
    expect(load).toHaveBeenCalledTimes(1)
    await eventually(async () => (await place.client.exists(leaseKey('k'))) === 0)
  })

  test('a key of another make is no value, and is replaced', async () => {
    const { process, valueKey } = world()
    await place.client.lpush(valueKey('k'), 'x')
    const { cache } = process()
    expect(await cache.getOrSet({ key: 'k', load: () => 'v' })).toBe('v')
    await eventually(async () => (await place.client.type(valueKey('k'))) === 'string')
    expect(cache.stats()).toMatchObject({ redisErrors: 0, decodeFailures: 0 })
  })

  test('a server that has forgotten its scripts is sent them', async () => {
    const { process, isStored } = world()
    const { cache } = process()
    for (const server of place.servers) await server.script('FLUSH')
    for (const key of keys) cache.set(key, key, { stamp: cache.stamp() })
    for (const key of keys) await isStored(key)
  })
})
