import { expect, test } from 'vitest'

import { createCache } from '../src/index.js'
import { reuseMs, TickClock } from '../src/tick-clock.js'
import { HandLog } from '../src/testing/index.js'

/** Clocks moved by hand; `pairs` counts the readings of both. */
const handClock = () => {
  const time = { monoMs: 1_000, wallMs: 5_000, pairs: 0 }
  const now = () => {
    time.pairs++
    return { monoMs: time.monoMs, wallMs: time.wallMs }
  }
  return { time, clock: new TickClock(now, { monoMs: () => time.monoMs }) }
}

const macrotask = () => new Promise((resolve) => setTimeout(resolve, 0))

test('the wall clock is read once for hits that follow each other closely', async () => {
  const { time, clock } = handClock()
  for (let i = 0; i < 100; i++) await Promise.resolve(clock.read())
  expect(time.pairs).toBe(1)
})

test('every reading is by the monotonic clock as it is now', async () => {
  const { time, clock } = handClock()
  expect(clock.read().monoMs).toBe(1_000)
  time.monoMs += reuseMs / 2
  expect(clock.read().monoMs).toBe(1_000 + reuseMs / 2)
  expect(time.pairs).toBe(1)
  await macrotask()
})

test('a reading never outlives a synchronous block of its caller', async () => {
  const { time, clock } = handClock()
  clock.read()
  time.monoMs += reuseMs
  time.wallMs += 3_000
  expect(clock.read()).toEqual({ monoMs: 1_000 + reuseMs, wallMs: 8_000 })
  await macrotask()
})

test('a reading never outlives its macrotask, timers of one phase included: a suspended machine shows', async () => {
  const { time, clock } = handClock()
  const seen: number[] = []
  await new Promise<void>((resolve) => {
    for (let i = 0; i < 3; i++)
      setTimeout(() => {
        time.wallMs += 1_000
        seen.push(clock.read().wallMs)
        if (i === 2) resolve()
      }, 1)
  })
  expect(seen).toEqual([6_000, 7_000, 8_000])
})

test('a fresh reading is one', () => {
  const { time, clock } = handClock()
  clock.read()
  expect(clock.fresh()).toEqual({ monoMs: 1_000, wallMs: 5_000 })
  expect(time.pairs).toBe(2)
})

test('a hit, a block of the caller past the lag, and the next hit is unproven', async () => {
  const tide = new HandLog()
  tide.monoMs = 0 // its own proof is older than ours
  const now = () => ({ monoMs: performance.now(), wallMs: Date.now() })
  tide.follow()
  const cache = createCache({ follow: tide, namespace: 'n', now, policy: { ttl: '1m', maxLag: 100 } })
  const prove = () => tide.follower.prove({ term: 1, nonce: 77 }, 0, now())
  const request = { key: 'k', load: () => 'v' }
  await cache.getOrSet(request)
  prove()
  expect(cache.getOrSet(request)).toBe('v')
  for (const startMs = performance.now(); performance.now() - startMs <= 100;);
  expect(cache.getOrSet(request)).toBeInstanceOf(Promise)
})
