import { eventually, redisSpace } from '@tidemark/testkit'
import { afterEach, expect, test } from 'vitest'

import type { CacheOptions } from '../src/index.js'
import { createCache } from '../src/index.js'
import { gateway, handLog, settle } from '../src/testing/index.js'
import { connect } from './real-redis.js'

const { url, prefix } = redisSpace()
const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** Two processes of one namespace: the second finds in Redis alone. */
const setUp = async (namespace: string, options = {}, more: Partial<CacheOptions> = {}) => {
  const redis = await connect(url, options)
  const follow = handLog()
  const make = (l1?: false) =>
    createCache({ redis, prefix, namespace, follow, ...more, ...(l1 === undefined ? {} : { l1 }) })
  ends.push(() => {
    redis.disconnect()
  })
  return { follow, here: make(), there: make(false) }
}

test.each([['enableAutoPipelining'], ['stringNumbers']])(
  'a client with %s: both tiers and the lease are what they are with any other',
  async (option) => {
    const { here, there } = await setUp(option, { [option]: true })
    await here.put('put', 1)
    expect(await there.get('put')).toBe(1)
    const load = () => 'loaded'
    expect(await here.getOrSet({ key: 'loaded', load })).toBe('loaded')
    await eventually(async () => (await there.get('loaded')) === 'loaded')
    expect(here.stats()).toMatchObject({ redisErrors: 0, leasesTaken: 1, leaseWaits: 0 })
  },
)

test('of two puts that travel as one change the later one stays, though the bytes of the first take longer', async () => {
  const { follow, here, there } = await setUp('order', {}, { compress: { minBytes: 1_000 } })
  const [stamp, position] = [follow.follower.stamp(), follow.follower.applied]
  expect(stamp?.tidemark).toBe(position)
  here.set('k', 'x'.repeat(4_000_000), { stamp })
  here.set('k', 'small', { stamp })
  here.set('other', 'y'.repeat(4_000_000), { stamp })
  await eventually(async () => (await there.get('other')) !== undefined)
  expect(here.peek('k')).toBe('small')
  expect(await there.get('k')).toBe('small')
})

test('a late fill does not overtake what is newer and still being made', async () => {
  const { follow, here, there } = await setUp('late', {}, { compress: { minBytes: 1_000 } })
  const old = follow.follower.stamp()
  follow.change('k')
  const large = 'x'.repeat(4_000_000)
  here.set('k', large, { stamp: follow.follower.stamp() })
  here.set('k', 'old', { stamp: old })
  await eventually(async () => (await there.get('k')) === large)
})

test('a tag that is no text, and a stamp that is none, end no process: the value stays in memory', async () => {
  const { follow, here, there } = await setUp('untyped')
  const tags = [42] as unknown as string[]
  expect(await here.getOrSet({ key: 'k', tags, load: () => 'v' })).toBe('v')
  const epoch = { term: 2 ** 40, nonce: -1 }
  here.set('forged', 1, { stamp: { epoch, tidemark: follow.follower.applied } })
  await eventually(() => here.stats().encodeFailures === 2)
  expect(here.peek('k')).toBe('v')
  expect(await there.get('k')).toBeUndefined()
})

test('a load that ends after close is answered and kept by nobody', async () => {
  const cache = createCache({ namespace: 'closed' })
  await cache.ready()
  const stamp = cache.stamp()
  const origin = gateway<string>()
  const running = cache.getOrSet({ key: 'k', load: () => origin.promise })
  await settle()
  await cache.close()
  origin.open('late')
  expect(await running).toBe('late')
  cache.set('told', 1, { stamp })
  expect(cache.stats().l1Entries).toBe(0)
  await expect(cache.getOrSet({ key: 'k', load: () => 'x' })).rejects.toMatchObject({ code: 'cache.closed' })
})
