import { describe, expect, test } from 'vitest'

import type { Entry } from '../src/entry.js'
import { lruL1 } from '../src/l1/lru-l1.js'
import { defaultPolicy } from '../src/policy.js'
import { estimateBytes } from '../src/value-size.js'

const entry = (value: unknown, sizeBytes: number): Entry => ({
  value,
  stamp: undefined,
  tags: [],
  places: new Uint32Array(),
  revision: -1,
  cover: undefined,
  loadedAtMs: 0,
  expiresAtMs: 0,
  earliestMs: 0,
  uses: 0,
  validator: undefined,
  staleUntilMs: 0,
  seenAtMs: 0,
  loadCostMs: 0,
  sizeBytes,
  policy: defaultPolicy,
})

describe('L1', () => {
  test('is bounded by entries: the least recently used goes, and a peek is no use', () => {
    const l1 = lruL1({ maxEntries: 2 })
    l1.set('a', entry(1, 1))
    l1.set('b', entry(2, 1))
    l1.get('a')
    l1.peek('b')
    l1.set('c', entry(3, 1))
    expect(l1.peek('b')).toBeUndefined()
    expect(l1.get('a')?.value).toBe(1)
    expect(l1.entries).toBe(2)
  })

  test('is bounded by bytes', () => {
    const l1 = lruL1({ maxBytes: 100, maxEntries: 1_000 })
    for (let i = 0; i < 50; i++) l1.set(`${i}`, entry(i, 10))
    expect(l1.sizeBytes).toBeLessThanOrEqual(100)
    expect(l1.get('49')?.value).toBe(49)
    l1.set('large', entry('x', 101))
    expect(l1.get('large')).toBeUndefined()
  })
})

describe('the size of a value', () => {
  test('grows with what it holds and ends for a value that holds itself', () => {
    const loop: unknown[] = ['x'.repeat(1_000)]
    loop.push(loop)
    expect(estimateBytes('x'.repeat(1_000))).toBeGreaterThanOrEqual(1_000)
    expect(estimateBytes({ a: Buffer.alloc(5_000) })).toBeGreaterThanOrEqual(5_000)
    expect(estimateBytes(loop)).toBeGreaterThan(1_000)
  })
})
