import { eventually, ownCluster } from '@tidemark/testkit'
import type { OwnCluster, OwnClusterOptions } from '@tidemark/testkit'
import { Cluster, Redis } from 'ioredis'
import type { ClusterOptions } from 'ioredis'
import { afterEach, expect, test, vi } from 'vitest'

import type { GuardOptions } from '../src/index.js'
import { createCache, guardRedis } from '../src/index.js'
import { handLog } from '../src/testing/index.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const keys = Array.from({ length: 60 }, (_, i) => `k${i}`)
const valueKey = (key: string) => `tidemark:{n:${key}}:v`

async function setUp(
  options: OwnClusterOptions = {},
  clientOptions: ClusterOptions = {},
  guardOptions: GuardOptions = {},
) {
  const cluster = await ownCluster(options)
  closers.push(() => cluster.remove())
  const connected = () => {
    const each = new Cluster([...cluster.nodes], clientOptions)
    each.on('error', () => undefined)
    closers.push(() => {
      each.disconnect()
    })
    return each
  }
  // Two clients: what heals the one that looks on must not heal the one that the caches have.
  const [redis, client] = [connected(), connected()]
  const process = () => {
    const tide = handLog()
    const guarded = guardRedis(redis, guardOptions)
    return createCache({ follow: tide, redis: guarded, namespace: 'n', l1: false, policy: { maxLag: '1h' } })
  }
  return { cluster, redis, client, cache: process(), process }
}

const store = async (client: Cluster, cache: ReturnType<typeof createCache>, some: readonly string[]) =>
  eventually(
    async () => {
      for (const key of some) cache.set(key, key, { stamp: cache.stamp() })
      const found = await Promise.all(some.map((key) => client.exists(valueKey(key))))
      return !found.includes(0)
    },
    { timeoutMs: 20_000, everyMs: 50 },
  )

const ownersOf = (cluster: OwnCluster) => Promise.all(keys.map((key) => cluster.ownerOf(valueKey(key))))

/** Asks for all keys, and says which came from L2. */
async function hits(cache: ReturnType<typeof createCache>): Promise<boolean[]> {
  const answers = await Promise.all(keys.map((key) => cache.read({ key, load: () => 'loaded' })))
  return answers.map(({ from }) => from === 'l2')
}

test.each([['is killed'], ['hangs']])(
  'a server that %s costs its own keys and no others, nobody waits, and it is used again when it is back',
  async (what) => {
    const { cluster, client, cache } = await setUp()
    await store(client, cache, keys)
    expect(await hits(cache)).not.toContain(false)
    const owners = await ownersOf(cluster)
    const victim = cluster.servers[1]!
    await (what === 'hangs' ? victim.pause() : victim.kill())
    for (let i = 0; i < 8; i++) {
      const startMs = performance.now()
      expect(await hits(cache)).toEqual(owners.map((owner) => owner !== victim))
      expect(performance.now() - startMs).toBeLessThan(2_000)
    }
    if (what === 'hangs') expect(cache.stats().breaker).not.toBe('closed')
    await (what === 'hangs' ? victim.resume() : victim.start())
    await eventually(
      async () => {
        await store(client, cache, keys)
        expect(await hits(cache)).not.toContain(false)
        expect(cache.stats().breaker).toBe('closed')
      },
      { timeoutMs: 20_000 },
    )
  },
)

test('a slot that has moved is a miss once, and found where it is', async () => {
  // Patient, so that nothing but what the server says makes the client learn where the slot is.
  const { cluster, client, cache } = await setUp({}, {}, { deadlineMs: 5_000 })
  await store(client, cache, keys)
  const from = await cluster.ownerOf(valueKey('k0'))
  await cluster.moveSlot(
    valueKey('k0'),
    cluster.servers.find((server) => server !== from)!,
  )
  expect(await cache.read({ key: 'k0', lease: 0, load: () => 'loaded' })).toMatchObject({ from: 'load' })
  await eventually(async () =>
    expect(await cache.read({ key: 'k0', load: () => 'loaded again' })).toMatchObject({ from: 'l2' }),
  )
})

test('while a slot is on its way its key is a miss, and no error', async () => {
  const { cluster, client, cache } = await setUp()
  await store(client, cache, keys)
  const [from, slot] = [
    await cluster.ownerOf(valueKey('k0')),
    await client.cluster('KEYSLOT', valueKey('k0')),
  ]
  const to = cluster.servers.find((server) => server !== from)!
  const [source, target] = [new Redis(from.url), new Redis(to.url)]
  closers.push(() => {
    source.disconnect()
    target.disconnect()
  })
  const [sourceId, targetId] = [await source.cluster('MYID'), await target.cluster('MYID')]
  await target.cluster('SETSLOT', slot, 'IMPORTING', String(sourceId))
  await source.cluster('SETSLOT', slot, 'MIGRATING', String(targetId))
  expect(await cache.read({ key: 'k0', load: () => 'x' })).toMatchObject({ from: 'l2' })
  await source.migrate('127.0.0.1', Number(new URL(to.url).port), valueKey('k0'), 0, 1_000)
  expect(await cache.read({ key: 'k0', load: () => 'x' })).toMatchObject({ value: 'x', from: 'load' })
})

test('a replica takes over from a master that was killed, and the same client goes on with it', async () => {
  const { cluster, client, cache } = await setUp({ replicas: 1 })
  await store(client, cache, keys)
  const master = await cluster.ownerOf(valueKey('k0'))
  await master.kill()
  await cluster.failOver(master)
  await store(client, cache, ['k0'])
  await eventually(async () => expect(await hits(cache)).not.toContain(false))
})

test('a cache whose Cluster has only begun to connect waits for it, once', async () => {
  const { cluster, client } = await setUp()
  const patient = (options: ClusterOptions) => {
    const starting = new Cluster([...cluster.nodes], options)
    closers.push(() => {
      starting.disconnect()
    })
    const redis = guardRedis(starting, { deadlineMs: 5_000 })
    return createCache({ follow: handLog(), redis, namespace: 'n' })
  }
  const cache = patient({})
  cache.set('first', 1, { stamp: cache.stamp() })
  await eventually(async () => (await client.exists(valueKey('first'))) === 1)
  const other = patient({ lazyConnect: true })
  expect(await other.read({ key: 'first', load: () => 2 })).toMatchObject({ value: 1, from: 'l2' })
  const nowhere = new Cluster([{ host: '127.0.0.1', port: 1 }])
  nowhere.on('error', () => undefined)
  closers.push(() => {
    nowhere.disconnect()
  })
  const alone = createCache({ follow: handLog(), redis: nowhere, namespace: 'n' })
  for (const key of keys) expect(await alone.getOrSet({ key, load: () => key })).toBe(key)
})

test('the reads of one turn are one batch for each server; the keys bear the client`s keyPrefix', async () => {
  const { redis, client, cache, process } = await setUp({}, { keyPrefix: 'app:' })
  await store(client, cache, keys)
  const bare = redis.nodes('master')
  const held = await Promise.all(bare.map((server) => server.keys('*')))
  expect(held.flat().sort()).toEqual(keys.map((key) => `app:${valueKey(key)}`).sort())
  const pipelines = bare.map((server) => vi.spyOn(server, 'pipeline'))
  expect(await hits(process())).not.toContain(false)
  expect(pipelines.map((pipeline) => pipeline.mock.calls.length)).toEqual([1, 1, 1])
})
