import { describe, expect, test } from 'vitest'

import type { KindNumbers } from '../src/advice/advice.js'
import { bytes, duration } from '../src/advice/units.js'
import { isWorthCaching, sayOfKeys, sayOfKind, sayOfTag } from '../src/advice/words.js'

const quiet: KindNumbers = {
  kind: 'products',
  overMs: 60_000,
  loads: 0,
  meanLoadMs: 0,
  bypassedLoads: 0,
  stored: 0,
  meanBytes: 0,
  heldValues: 0,
  heldBytes: 0,
  ended: 0,
  endedUnused: 0,
  sunkUnused: 0,
  expired: 0,
  evicted: 0,
  refilled: 0,
  uses: 0,
  joined: 0,
  unproven: 0,
  unprovenLagMs: 0,
  maxLagMs: 0,
  savedMsPerMinute: 0,
  spentMsPerMinute: 0,
  bypassedForMs: undefined,
}

const say = (numbers: Partial<KindNumbers>) => sayOfKind('lists of products', { ...quiet, ...numbers })

describe('whether a kind is worth caching', () => {
  test('values that sink unused, and more spent than saved: it is not', () => {
    const numbers = { ended: 1_000, endedUnused: 940, sunkUnused: 920 }
    expect(
      say({ ...numbers, savedMsPerMinute: 410, spentMsPerMinute: 2_100, bypassedForMs: 180_000 }),
    ).toEqual([
      'lists of products: 92 % of values sink before they are used; 410 ms of loads saved and 2.1 s spent per minute: not worth caching; bypassed for 3 min',
    ])
  })

  test('the same values are worth it while their loads are dear', () => {
    const numbers = { ended: 1_000, endedUnused: 940, sunkUnused: 920 }
    expect(say({ ...numbers, savedMsPerMinute: 9_000, spentMsPerMinute: 2_100 })).toEqual([
      'lists of products: 92 % of values sink before they are used; 9 s of loads saved and 2.1 s spent per minute: worth caching',
    ])
  })

  test('values that end unused in another way, or used, are told apart', () => {
    const money = { savedMsPerMinute: 9_000, spentMsPerMinute: 2_100 }
    expect(say({ ended: 100, endedUnused: 50, sunkUnused: 10, ...money })[0]).toMatch(
      /: 50 % of values end before/,
    )
    expect(say({ ended: 100, ...money })[0]).toMatch(/: every value is used before it ends;/)
  })

  test('too few values say nothing; uses of what never ends say enough', () => {
    expect(say({ ended: 3, loads: 12, spentMsPerMinute: 5 })).toEqual([
      'lists of products: too little is known yet: 12 loads, 3 values ended',
    ])
    expect(say({})).toEqual([])
    const held = { ...quiet, uses: 1_000, savedMsPerMinute: 10, spentMsPerMinute: 1 }
    expect(isWorthCaching(held)).toBe(true)
    expect(isWorthCaching({ ...held, spentMsPerMinute: 100 })).toBeUndefined()
  })
})

test('what is bypassed costs nothing any more, which does not make it worth caching', () => {
  const bypassed = { ...quiet, ended: 12, endedUnused: 12, sunkUnused: 12, bypassedLoads: 40 }
  expect(isWorthCaching(bypassed)).toBe(false)
})

describe('what would make it better', () => {
  const others = (numbers: Partial<KindNumbers>) => say(numbers).slice(1)

  test('a ttl that ends what was still right', () => {
    expect(others({ ended: 100, expired: 45 })).toEqual([
      "lists of products: 45 % of values ended by their ttl and were loaded again though no change had touched them: they were still right; a longer ttl, or ttl: 'afloat', saves those loads",
    ])
    expect(others({ ended: 100, expired: 29 })).toEqual([])
    expect(others({ ended: 30, expired: 19 })).toEqual([])
  })

  test('a maxLag below what the log can show', () => {
    expect(others({ ended: 100, uses: 10_000, unproven: 1_200, unprovenLagMs: 140, maxLagMs: 50 })).toEqual([
      'lists of products: 1,200 look-ups found a value that could not be shown to be recent enough: maxLag is 50 ms, the lag was up to 140 ms; a wider maxLag would have served them',
    ])
    expect(others({ ended: 100, uses: 10_000, unproven: 120 })).toEqual([])
    expect(others({ ended: 100, unproven: 120, unprovenLagMs: Infinity })[0]).toMatch(
      /could not be shown at all/,
    )
  })

  test('an L1 too small for what is used', () => {
    expect(others({ ended: 100, evicted: 100, refilled: 30 })).toEqual([
      'lists of products: 30 % of the values that made room in L1 were taken from L2 again: L1 is too small',
    ])
    expect(others({ ended: 1_000, evicted: 1_000, refilled: 30 })).toEqual([])
  })

  test('values that cost as much to keep as to load', () => {
    const numbers = { ended: 100, stored: 100, meanBytes: 1.2 * 1_024 * 1_024, meanLoadMs: 9 }
    expect(others({ ...numbers, spentMsPerMinute: 1_400 })).toEqual([
      'lists of products: values of 1.2 MiB on average take 14 ms each to encode and to keep in Redis, a load takes 9 ms: make them smaller, compress them, or keep them in L1 alone',
    ])
    expect(others({ ...numbers, spentMsPerMinute: 400 })).toEqual([])
    expect(others({ ...numbers, meanBytes: 1_000, spentMsPerMinute: 1_400 })).toEqual([])
  })

  test('a tag that sinks what has not changed', () => {
    expect(sayOfTag({ tag: 'product', sank: 400, same: 310 })).toBe(
      'tag "product": 78 % of the 400 values that it sank were loaded again to the same bytes: it is too broad for them; finer tags would have kept them',
    )
    expect(sayOfTag({ tag: 'product', sank: 400, same: 190 })).toBeUndefined()
    expect(sayOfTag({ tag: 'product', sank: 40, same: 40 })).toBeUndefined()
  })

  test('keys that are bypassed', () => {
    expect(sayOfKeys(0)).toBeUndefined()
    expect(sayOfKeys(1)).toMatch(/^1 key is bypassed/)
    expect(sayOfKeys(1_200)).toMatch(/^1,200 keys are bypassed/)
  })
})

test('numbers read as people write them', () => {
  expect([0.04, 3.14159, 410, 2_100, 90_000, 180_000, 3 * 3_600_000].map(duration)).toEqual([
    '0 ms',
    '3.1 ms',
    '410 ms',
    '2.1 s',
    '90 s',
    '3 min',
    '3 h',
  ])
  expect([12, 2_048, 1.5 * 1_024 * 1_024].map(bytes)).toEqual(['12 B', '2 KiB', '1.5 MiB'])
})
