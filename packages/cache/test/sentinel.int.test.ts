import { eventually, ownSentinel } from '@tidemark/testkit'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'

import { createCache } from '../src/index.js'
import { handLog } from '../src/testing/index.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function setUp() {
  const set = await ownSentinel()
  closers.push(() => set.remove())
  const client = new Redis({ sentinels: [...set.sentinels], name: set.name })
  client.on('error', () => undefined)
  closers.push(() => {
    client.disconnect()
  })
  await eventually(async () => (await client.ping()) === 'PONG')
  const tide = handLog()
  const cache = createCache({ follow: tide, redis: client, namespace: 'n', policy: { maxLag: '1h' } })
  /** A store reaches the master that the Sentinels name. */
  let uses = 0
  const isUsed = () => {
    const key = `use ${++uses}`
    return eventually(
      async () => {
        const master = new Redis((await set.master()).url, { retryStrategy: () => null })
        master.on('error', () => undefined)
        try {
          cache.set(key, 1, { stamp: cache.stamp() })
          expect((await master.role())[0]).toBe('master')
          return (await master.exists(`tidemark:{n:${key}}:v`)) === 1
        } finally {
          master.disconnect()
        }
      },
      { timeoutMs: 40_000, everyMs: 50 },
    )
  }
  return { set, client, cache, tide, isUsed }
}

test('a fail-over: L2 goes on with the new master, what has sunk stays sunk, and nobody is made to wait', async () => {
  const { set, client, cache, tide, isUsed } = await setUp()
  await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'old' })
  await isUsed()
  await client.wait(1, 1_000)
  await set.loseTail(async () => {
    tide.change('t')
    expect(await cache.getOrSet({ key: 'k', tags: ['t'], load: () => 'new' })).toBe('new')
    // What is still on its way when the master dies is sent to the next one.
    await eventually(async () => String(await client.get('tidemark:{n:k}:v')).includes('new'))
  })
  const startMs = performance.now()
  expect(await cache.getOrSet({ key: 'k2', load: () => 'v' })).toBe('v')
  expect(performance.now() - startMs).toBeLessThan(2_000)
  await isUsed()
  const other = createCache({ follow: tide, redis: client, namespace: 'n', policy: { maxLag: '1h' } })
  await eventually(async () => expect((await other.explain('k')).l2).toMatchObject({ verdict: 'sunk' }))
  expect(await other.getOrSet({ key: 'k', tags: ['t'], load: () => 'newer' })).toBe('newer')
})

test('a master that hangs is left for the one that was promoted, though its connection never breaks', async () => {
  const { set, cache, isUsed } = await setUp()
  await isUsed()
  const hung = await set.master()
  await hung.pause()
  for (let i = 0; i < 8; i++) await cache.getOrSet({ key: `${i}`, load: () => i })
  await set.failOver()
  await eventually(
    async () => {
      await cache.getOrSet({ key: `${Math.random()}`, load: () => 1 })
      expect(cache.stats().breaker).toBe('closed')
    },
    { timeoutMs: 20_000, everyMs: 50 },
  )
  await isUsed()
})

test('a master that was demoted under its clients says READONLY, and the Sentinels are asked again', async () => {
  const { set, client, cache, isUsed } = await setUp()
  await isUsed()
  let connections = 0
  client.on('connect', () => connections++)
  const demoted = new Redis((await set.master()).url)
  closers.push(() => {
    demoted.disconnect()
  })
  await demoted.replicaof('127.0.0.1', Number(new URL((await set.replica()).url).port))
  await eventually(() => {
    cache.set('k', 1, { stamp: cache.stamp() })
    expect(connections).toBeGreaterThan(0)
  })
})
