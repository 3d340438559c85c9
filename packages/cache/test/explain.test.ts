import { expect, test } from 'vitest'

import { createCache } from '../src/index.js'
import { gateway, HandLog, settle } from '../src/testing/index.js'

const setUp = (policy = {}) => {
  const tide = new HandLog().follow()
  const cache = createCache({ follow: tide, namespace: 'n', policy: { ttl: '10m', maxLag: '1s', ...policy } })
  const load = () => {
    tide.pass(30)
    tide.prove()
    return 1
  }
  const get = (tags = ['t']) => cache.getOrSet({ key: 'k', tags, load })
  const pass = (ms: number) => {
    tide.pass(ms)
    tide.prove()
  }
  const say = async () => (await cache.explain('k')).summary
  return { tide, cache, get, pass, say }
}

test('what is held and served: for how long yet, and what would sink it', async () => {
  const { get, pass, say } = setUp()
  await get(['a', 'b'])
  pass(60_000)
  expect(await say()).toBe(
    'In L1: afloat, served for 9 min yet; loaded 60 s ago in 30 ms. Not in L2. A change of a, b, !n:k or 1 more would sink it.',
  )
})

test('what has sunk: by which change, and what grace allows', async () => {
  const { tide, get, say } = setUp({ grace: '1h' })
  tide.change('other')
  await get()
  tide.change('t')
  expect(await say()).toBe(
    'In L1: sunk, since t changed at position 2 and it is of 1; loaded 0 ms ago in 30 ms; served stale for 70 min yet where the origin fails. Not in L2.',
  )
})

test('what a new history has sunk', async () => {
  const { tide, get, say } = setUp()
  await get()
  tide.newEpoch()
  expect(await say()).toMatch(/^In L1: sunk, since a new history, 2, has begun;/)
})

test('what has expired though it was right, and what cannot be proven', async () => {
  const { tide, get, pass, say } = setUp()
  await get()
  tide.pass(3_000)
  expect(await say()).toMatch(/^In L1: afloat but unproven: the log may be 3 s ahead, maxLag is 1 s;/)
  pass(600_000)
  expect(await say()).toMatch(/^In L1: expired, though no change has touched it since it was loaded;/)
})

test('what is not there, and is being loaded', async () => {
  const { cache, say } = setUp()
  expect(await say()).toBe('Not in L1. Not in L2.')
  const gate = gateway<number>()
  const loading = cache.getOrSet({ key: 'k', load: () => gate.promise })
  await settle()
  expect(await say()).toBe('Not in L1. Not in L2. A load is under way.')
  gate.open(1)
  await loading
})
