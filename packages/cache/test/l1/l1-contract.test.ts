/** What a cache relies on, whatever the tier forgets. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Entry } from '../../src/entry.js'
import type { L1 } from '../../src/l1/l1.js'
import { noL1 } from '../../src/l1/no-l1.js'
import { s3FifoL1 } from '../../src/l1/s3-fifo-l1.js'
import { entryOf } from './entries.js'

const maxBytes = 60
const maxEntries = 12

const tiers: Record<string, () => L1> = {
  's3FifoL1 bounded by both': () => s3FifoL1({ maxBytes, maxEntries }),
  's3FifoL1 for one entry': () => s3FifoL1({ maxBytes, maxEntries: 1 }),
  's3FifoL1 of one byte': () => s3FifoL1({ maxBytes: 1, maxEntries }),
  's3FifoL1 bounded by entries': () => s3FifoL1({ maxBytes: 2 ** 30, maxEntries }),
  's3FifoL1 that forgets nothing': () => s3FifoL1(),
  noL1,
}

type Step = { kind: 'get' | 'peek' | 'delete'; key: string } | { kind: 'set'; key: string; size: number }

const key = fc.integer({ min: 0, max: 30 }).map(String)
const step: fc.Arbitrary<Step | { kind: 'clear' }> = fc.oneof(
  { weight: 40, arbitrary: fc.record({ kind: fc.constantFrom('get', 'peek', 'delete'), key }) },
  {
    weight: 40,
    arbitrary: fc.record({ kind: fc.constant('set'), key, size: fc.integer({ min: 1, max: 70 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear') }) },
) as fc.Arbitrary<Step | { kind: 'clear' }>

describe.each(Object.entries(tiers))('%s', (_, make) => {
  test('gives of a key what was last set of it, or nothing; counts what it holds', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const l1 = make()
        const last = new Map<string, Entry>()
        for (const each of steps) {
          if (each.kind === 'clear') {
            l1.clear()
            last.clear()
          } else if (each.kind === 'delete') {
            l1.delete(each.key)
            last.delete(each.key)
          } else if (each.kind === 'set') {
            const entry = entryOf({ value: each.key, sizeBytes: each.size })
            l1.set(each.key, entry)
            last.set(each.key, entry)
          } else expect([undefined, last.get(each.key)]).toContain(l1[each.kind](each.key))
          const held = [...last].filter(([name]) => l1.peek(name) !== undefined)
          for (const [name, entry] of held) expect(l1.peek(name)).toBe(entry)
          expect(l1.entries).toBe(held.length)
          expect(l1.sizeBytes).toBe(held.reduce((sum, [, { sizeBytes }]) => sum + sizeBytes, 0))
        }
      }),
    )
  })

  test('nothing is left of a key that was deleted, or cleared, or replaced by what is larger than the tier', () => {
    const l1 = make()
    l1.set('a', entryOf({ value: 1 }))
    l1.delete('a')
    l1.delete('never set')
    expect(l1.peek('a')).toBeUndefined()
    l1.set('a', entryOf({ value: 1 }))
    l1.clear()
    expect(l1.peek('a')).toBeUndefined()
    l1.set('a', entryOf({ value: 1 }))
    l1.set('a', entryOf({ value: 2, sizeBytes: 2 ** 31 }))
    expect(l1.peek('a')).toBeUndefined()
    expect([l1.entries, l1.sizeBytes]).toEqual([0, 0])
  })

  test('an entry set again under its key is held once', () => {
    const l1 = make()
    const entry = entryOf({ value: 1 })
    l1.set('a', entry)
    l1.set('a', entry)
    expect(l1.entries).toBeLessThanOrEqual(1)
    l1.delete('a')
    expect([l1.entries, l1.sizeBytes]).toEqual([0, 0])
  })
})
