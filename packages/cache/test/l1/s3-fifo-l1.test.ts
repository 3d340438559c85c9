import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { s3FifoL1 } from '../../src/l1/s3-fifo-l1.js'
import { entryOf } from './entries.js'
import { SlowS3Fifo } from './slow-s3-fifo.js'

const key = fc.integer({ min: 0, max: 40 }).map(String)

test('holds what the policy as it is told holds, after every step', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('get' as const), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('set' as const),
        key,
        size: fc.oneof(fc.constant(4), fc.integer({ min: 1, max: 60 })),
      }),
    },
  )
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 400 }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 30 }),
      (steps, maxBytes, maxEntries) => {
        const l1 = s3FifoL1({ maxBytes, maxEntries })
        const slow = new SlowS3Fifo(maxBytes, maxEntries)
        for (const each of steps) {
          if (each.kind === 'get') expect(l1.get(each.key)).toBe(slow.get(each.key))
          else if (each.kind === 'delete') {
            l1.delete(each.key)
            slow.delete(each.key)
          } else {
            const entry = entryOf({ value: each.key, sizeBytes: each.size })
            l1.set(each.key, entry)
            slow.set(each.key, entry)
          }
          const held = [...slow.small, ...slow.main]
          expect(l1.entries).toBe(held.length)
          for (const { key: name, entry } of held) expect(l1.peek(name)).toBe(entry)
        }
      },
    ),
    { numRuns: 500 },
  )
})

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`)
const fill = (l1: ReturnType<typeof s3FifoL1>, keys: readonly string[], sizeBytes = 1): void => {
  for (const each of keys) l1.set(each, entryOf({ value: each, sizeBytes }))
}
const heldOf = (l1: ReturnType<typeof s3FifoL1>, keys: readonly string[]): string[] =>
  keys.filter((each) => l1.peek(each) !== undefined)

describe('what is in use', () => {
  test('outlasts a scan however long', () => {
    const l1 = s3FifoL1({ maxEntries: 1_000 })
    const used = names('used', 800)
    fill(l1, used)
    for (const each of used) l1.get(each)
    fill(l1, names('scan', 100_000))
    // All of it came at once and moves to the main queue at the first evictions, whose walks are bounded: one in 33 is lost.
    expect(heldOf(l1, used).length).toBeGreaterThan(770)
  })

  test('goes where it is used no more', () => {
    const l1 = s3FifoL1({ maxEntries: 100 })
    const [before, after] = [names('before', 100), names('after', 100)]
    fill(l1, before)
    for (let i = 0; i < 9; i++) for (const each of before) l1.get(each)
    for (let i = 0; i < 30; i++) for (const each of after) if (l1.get(each) === undefined) fill(l1, [each])
    expect(heldOf(l1, after).length).toBeGreaterThan(80)
  })

  test('pays with its uses for each round, and leaves when they have run out', () => {
    const l1 = s3FifoL1({ maxEntries: 10 })
    fill(l1, names('a', 11))
    fill(l1, ['a0'])
    for (let i = 0; i < 3; i++) l1.get('a0')
    const comers = names('b', 100)
    const leftAt = comers.findIndex((each) => {
      fill(l1, [each])
      l1.get(each)
      return l1.peek('a0') === undefined
    })
    expect(leftAt).toBeGreaterThan(3 * 8)
    expect(leftAt).toBeLessThan(6 * 10)
  })

  test('is not what was peeked at', () => {
    const l1 = s3FifoL1({ maxEntries: 10 })
    fill(l1, names('a', 10))
    for (let i = 0; i < 9; i++) l1.peek('a0')
    fill(l1, ['b'])
    expect(l1.peek('a0')).toBeUndefined()
  })

  test('keeps its uses when its value is replaced', () => {
    const l1 = s3FifoL1({ maxEntries: 10 })
    fill(l1, names('a', 10))
    l1.get('a0')
    fill(l1, ['a0'])
    fill(l1, names('b', 10))
    expect(l1.peek('a0')).toBeDefined()
  })
})

test('who comes back soon after it left is not pushed out by a scan again', () => {
  const l1 = s3FifoL1({ maxEntries: 100 })
  fill(l1, names('a', 101))
  expect(l1.peek('a0')).toBeUndefined()
  fill(l1, ['a0'])
  fill(l1, names('scan', 1_000))
  expect(l1.peek('a0')).toBeDefined()
})

test('what takes the room of five must be used as often as five', () => {
  const survives = (uses: number): boolean => {
    const l1 = s3FifoL1({ maxBytes: 1_000, maxEntries: 10_000 })
    l1.set('large', entryOf({ value: 0, sizeBytes: 50 }))
    for (let i = 0; i < uses; i++) l1.get('large')
    fill(l1, names('a', 96), 10)
    return l1.peek('large') !== undefined
  }
  expect([1, 3, 4, 5, 6].map(survives)).toEqual([false, false, false, true, true])
})

test('an eviction ends soon, whatever has been used', () => {
  const l1 = s3FifoL1({ maxEntries: 1_000 })
  const used = names('used', 1_000)
  fill(l1, used)
  for (let i = 0; i < 9; i++) for (const each of used) l1.get(each)
  fill(l1, ['one more'])
  expect(heldOf(l1, used)).toHaveLength(999)
  expect(l1.peek('used32')).toBeUndefined()
})
