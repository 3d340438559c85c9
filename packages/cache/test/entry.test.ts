import { describe, expect, test } from 'vitest'

import { longestKeptMs } from '../src/duration.js'
import { entryOf } from './l1/entries.js'

const day = 86_400_000
const nowMs = 1_700_000_000_000

describe('an entry', () => {
  test.each([
    ['an ordinary one', 0, 600_000, 3_600_000],
    ['no time at all', 0, 0, 0],
    ['a ttl and a grace of months', 0, 90 * day, 400 * day],
    ['received from a machine whose clock is ahead', 3_600_000, -3_000_000, 1_000],
    ['after years of uptime', 4_000 * day, 600_000, 0],
  ])('gives back the times it was made of: %s', (_, ahead, ttlMs, graceMs) => {
    const times = {
      loadedAtMs: nowMs + ahead,
      expiresAtMs: nowMs + ahead + ttlMs,
      staleUntilMs: nowMs + ahead + ttlMs + graceMs,
      earliestMs: nowMs + ahead + ttlMs - 250,
      seenAtMs: 123_456,
      loadCostMs: 12.345,
    }
    expect(entryOf({ value: 1, ...times })).toMatchObject(times)
  })

  test('kept as long as can be is kept about as long', () => {
    const expiresAtMs = nowMs + longestKeptMs
    const entry = entryOf({
      value: 1,
      loadedAtMs: nowMs,
      expiresAtMs,
      staleUntilMs: expiresAtMs + longestKeptMs,
      earliestMs: expiresAtMs,
    })
    expect(entry).toMatchObject({ expiresAtMs, earliestMs: expiresAtMs })
    expect(entry.staleUntilMs).toBe(expiresAtMs + longestKeptMs)
    expect(entry.staleUntilMs).toBeLessThan(2 ** 48)
  })

  test('parts of a millisecond never make it seem older than it is proven to be, nor kept for longer', () => {
    const entry = entryOf({
      value: 1,
      loadedAtMs: nowMs,
      expiresAtMs: nowMs + 99.7,
      staleUntilMs: nowMs + 99.7 + 10.9,
      earliestMs: nowMs + 50.2,
      seenAtMs: 10.1,
    })
    expect(entry.seenAtMs).toBeGreaterThanOrEqual(10.1)
    expect(entry.expiresAtMs).toBeLessThanOrEqual(nowMs + 99.7)
    expect(entry.staleUntilMs).toBeLessThanOrEqual(nowMs + 99.7 + 10.9)
    expect(entry.earliestMs).toBeLessThanOrEqual(nowMs + 50.2)
  })

  test.each([[[]], [['a']], [['a', 'b']]])('gives back its tags: %j', (tags: string[]) => {
    expect(entryOf({ value: 1, tags }).tags).toEqual(tags)
  })
})
