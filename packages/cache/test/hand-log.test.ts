import { expect, test } from 'vitest'

import { createCache } from '../src/index.js'
import { handLog, HandLog } from '../src/testing/index.js'

const cacheOver = (follow: HandLog) =>
  createCache({ follow, namespace: 'n', policy: { ttl: '1h', maxLag: '2s' } })

const ask = async (cache: ReturnType<typeof cacheOver>, value: string) =>
  await cache.getOrSet({ key: 'k', tags: ['t'], load: () => value })

test('a change sinks what carries its tag once it is heard of, not when it is written', async () => {
  const log = handLog()
  const cache = cacheOver(log)
  await ask(cache, 'old')
  log.write('t')
  expect(await ask(cache, 'new')).toBe('old')
  log.hear()
  expect(await ask(cache, 'new')).toBe('new')
})

test('time passes only when told: then nothing was heard, and the follower is blind', async () => {
  const log = handLog()
  const cache = cacheOver(log)
  await ask(cache, 'old')
  log.pass(1_999)
  expect(cache.peek('k')).toBe('old')
  log.pass(2)
  expect(cache.peek('k')).toBeUndefined()
  log.hear()
  expect(cache.peek('k')).toBe('old')
})

test('lost steps sink everything; so does a new epoch', async () => {
  const log = handLog()
  const cache = cacheOver(log)
  await ask(cache, 'old')
  log.loseUpToHead()
  expect(await ask(cache, 'new')).toBe('new')
  log.newEpoch({ lost: 1 })
  expect(await ask(cache, 'newest')).toBe('newest')
})

test('what is delivered again changes nothing', async () => {
  const log = handLog()
  const cache = cacheOver(log)
  log.change('t')
  log.change('other')
  await ask(cache, 'value')
  const { revision, applied } = log.follower
  log.redeliver()
  expect(log.follower).toMatchObject({ revision, applied })
  expect(cache.peek('k')).toBe('value')
})

test('an invalidation gives its token and is heard of; it rejects while the log cannot be asked', async () => {
  const log = handLog()
  const cache = cacheOver(log)
  await ask(cache, 'old')
  expect(await cache.invalidate(['t'])).toEqual({ term: 1, position: 1 })
  expect(await ask(cache, 'new')).toBe('new')
  log.isReachable = false
  await expect(cache.invalidate(['t'])).rejects.toThrow('cannot be asked')
})

test('`new HandLog()` is adrift until it follows', () => {
  const log = new HandLog()
  expect(log.follower.stamp()).toBeUndefined()
  expect(log.follow().follower.stamp()).toBeDefined()
})
