import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bucketAt, fingerprintAt, firstPlace } from '../src/places.js'
import { TideTable } from '../src/index.js'
import { ExactFloors } from './exact-floors.js'

const tags = Array.from({ length: 40 }, (_, i) => `product:${i}`)

const anyPosition = fc.oneof(
  fc.integer({ min: 1, max: 60 }),
  fc.integer({ min: -40, max: 40 }).map((near) => 2 ** 31 + near),
  fc.integer({ min: -40, max: 40 }).map((near) => 2 ** 32 + near),
  fc
    .integer({ min: 1, max: 4 })
    .chain((turns) => fc.integer({ min: -40, max: 40 }).map((near) => turns * 2 ** 33 + near)),
  fc.integer({ min: 2 ** 48, max: Number.MAX_SAFE_INTEGER }),
)

const anyOperation = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('raise' as const),
      tag: fc.constantFrom(...tags),
      position: anyPosition,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('base' as const), position: anyPosition }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), position: anyPosition }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), seed: fc.nat() }) },
)

const anyBuckets = fc.constantFrom(1, 2, 4, 64)

describe('the table may say more than the truth, never less', () => {
  test('floors lie at or above the exact ones after every raise, base, restart and restore, in any order', () => {
    fc.assert(
      fc.property(
        anyBuckets,
        fc.nat(),
        fc.array(anyOperation, { maxLength: 120 }),
        (buckets, seed, operations) => {
          let table = new TideTable({ buckets, seed })
          const exact = new ExactFloors()
          for (const operation of operations) {
            if (operation.kind === 'raise') {
              table.raise(operation.tag, operation.position)
              exact.raise(operation.tag, operation.position)
            } else if (operation.kind === 'base') {
              table.raiseBase(operation.position)
              exact.raiseBase(operation.position)
            } else if (operation.kind === 'restart') {
              table.restart(operation.position)
              exact.restart(operation.position)
            } else {
              const next = new TideTable({ buckets, seed: operation.seed })
              expect(next.restore(table.snapshot())).toBe(true)
              table = next
            }
            expect(table.base).toBe(exact.base)
            for (const tag of tags) {
              const floor = table.floorOf(tag)
              if (floor < exact.floorOf(tag))
                expect.fail(`${tag}: floor ${floor} below ${exact.floorOf(tag)}`)
              if (floor > exact.highest) expect.fail(`${tag}: floor ${floor} above all of the log`)
            }
          }
        },
      ),
      { numRuns: 1500 },
    )
  })

  test('a table with room for all its tags is exact', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ tag: fc.constantFrom(...tags), position: fc.integer({ min: 1, max: 999 }) })),
        fc.integer({ min: 0, max: 999 }),
        (raises, base) => {
          const table = new TideTable({ buckets: 4096, seed: 7 })
          const exact = new ExactFloors()
          for (const { tag, position } of raises) {
            table.raise(tag, position)
            exact.raise(tag, position)
          }
          table.raiseBase(base)
          exact.raiseBase(base)
          for (const tag of tags) expect(table.floorOf(tag)).toBe(exact.floorOf(tag))
        },
      ),
    )
  })

  test('delivered again and in another order, changes leave the same floors while nothing is forgotten', () => {
    const anyRaises = fc.array(fc.tuple(fc.constantFrom(...tags), fc.integer({ min: 1, max: 2 ** 32 - 1 })), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(
        anyRaises.chain((raises) =>
          fc.tuple(fc.constant(raises), fc.shuffledSubarray(raises, { minLength: raises.length })),
        ),
        ([raises, shuffled]) => {
          const again = new TideTable({ buckets: 4096, seed: 7 })
          const exact = new ExactFloors()
          for (const [tag, position] of raises) exact.raise(tag, position)
          for (const [tag, position] of [...shuffled, ...raises]) again.raise(tag, position)
          for (const tag of tags) expect(again.floorOf(tag)).toBe(exact.floorOf(tag))
        },
      ),
    )
  })
})

describe('floors never fall', () => {
  test('a base raised late, below what tags were raised to, does not lower their floors', () => {
    const table = new TideTable({ buckets: 4, seed: 1 })
    table.raise('product:1', 100)
    table.raiseBase(50)
    expect(table.floorOf('product:1')).toBe(100)
    expect(table.floorOf('product:2')).toBe(50)
    table.raiseBase(50)
    expect(table.floorOf('product:1')).toBe(100)
  })

  test('a base raised above every entry forgets them all', () => {
    const table = new TideTable({ buckets: 1, seed: 1 })
    for (const tag of tags) table.raise(tag, 5)
    table.raiseBase(6)
    expect(table.floorOf('product:1')).toBe(6)
    expect(table.snapshot().words.every((word) => word === 0)).toBe(true)
  })

  test('a lower base is not taken', () => {
    const table = new TideTable({ buckets: 1, seed: 1 })
    table.raiseBase(9)
    table.raiseBase(3)
    expect(table.base).toBe(9)
  })

  test('a tag raised late to a lower position keeps its higher floor', () => {
    const table = new TideTable({ buckets: 1, seed: 1 })
    table.raise('product:1', 9)
    table.raise('product:1', 3)
    expect(table.floorOf('product:1')).toBe(9)
  })

  test('of several tags the highest floor counts, wherever it stands', () => {
    const table = new TideTable({ buckets: 64, seed: 1 })
    table.raise('product:1', 9)
    table.raise('product:2', 3)
    expect(table.floorAt(table.locate(['product:1', 'product:2', 'brand:1']))).toBe(9)
    expect(table.floorAt(table.locate(['brand:1', 'product:2', 'product:1']))).toBe(9)
  })

  test('what a full bucket forgets is the floor of every tag without an entry', () => {
    const table = new TideTable({ buckets: 1, seed: 1 })
    for (let i = 0; i < 11; i++) table.raise(`product:${i}`, 10 + i)
    expect(table.floorOf('product:0')).toBe(10)
    expect(table.floorOf('brand:never-changed')).toBe(10)
    expect(table.floorOf('product:10')).toBe(20)
  })

  test('a change that comes late to a full bucket of newer ones still counts', () => {
    const table = new TideTable({ buckets: 1, seed: 1 })
    for (let i = 0; i < 10; i++) table.raise(`product:${i}`, 100 + i)
    table.raise('product:late', 50)
    expect(table.floorOf('product:late')).toBe(50)
    table.raise('product:later', 40)
    expect(table.floorOf('product:late')).toBe(50)
  })
})

describe('places', () => {
  test('tell buckets apart whose numbers differ in their high bits alone', () => {
    const table = new TideTable({ buckets: 2 ** 17, seed: 0xfedcba98 })
    const names = Array.from({ length: 40_000 }, (_, i) => `product:${i}`)
    const byLowBits = new Map<number, string>()
    const isTwin = (a: string, b: string): boolean =>
      bucketAt(table.locate([a]), firstPlace) !== bucketAt(table.locate([b]), firstPlace)
    let twins = 0
    for (const name of names) {
      const low = bucketAt(table.locate([name]), firstPlace) & 0xffff
      const other = byLowBits.get(low)
      if (other !== undefined && isTwin(name, other)) {
        twins++
        table.raise(name, 10)
        table.raise(other, 20)
        expect(table.floorOf(name)).toBe(10)
        expect(table.floorOf(other)).toBe(20)
        if (twins === 50) return
      }
      byLowBits.set(low, name)
    }
    expect.fail('no such buckets')
  })

  test('hold every tag of a long list', () => {
    const table = new TideTable({ seed: 1 })
    const names = Array.from({ length: 3_000 }, (_, i) => `product:${i}`)
    for (const last of [1_364, 1_365, 2_999]) {
      table.raise(names[last]!, 10 + last)
      expect(table.floorAt(table.locate(names))).toBe(10 + last)
    }
  })
})

describe('free slots', () => {
  /** 16 bits of fingerprint: among so many names some have the fingerprint of a free slot, which is 0. */
  const names = Array.from({ length: 200_000 }, (_, i) => `product:${i}`)
  const blank = new TideTable({ buckets: 1, seed: 1 })
  const unlucky = names.filter((name) => fingerprintAt(blank.locate([name]), firstPlace) === 0)

  test('a tag whose fingerprint is that of a free slot is raised, kept and forgotten like any other', () => {
    expect(unlucky.length).toBeGreaterThan(0)
    for (const before of [0, 3, 9, 10, 15]) {
      const table = new TideTable({ buckets: 1, seed: 1 })
      for (let i = 0; i < before; i++) table.raise(`brand:${i}`, 5 + i)
      const tag = unlucky[0]!
      const unraised = table.floorOf(tag)
      expect(unraised).toBe(before > 10 ? 5 + before - 11 : 0)
      table.raise(tag, 50)
      expect(table.floorOf(tag)).toBe(50)
      table.raise(tag, 60)
      table.raise(tag, 40)
      expect(table.floorOf(tag)).toBe(60)
      for (let i = 0; i < 10; i++) table.raise(`category:${i}`, 100 + i)
      expect(table.floorOf(tag)).toBe(60)
      for (let i = 0; i < before; i++) expect(table.floorOf(`brand:${i}`)).toBeGreaterThanOrEqual(5 + i)
    }
  })
})

describe('offsets from a common origin', () => {
  test('positions past 2^32 move the origin, and nothing old falls', () => {
    const table = new TideTable({ buckets: 1, seed: 1 })
    for (let i = 0; i < 12; i++) table.raise(`product:${i}`, 10 + i)
    const far = 2 ** 32 + 1000
    table.raise('product:far', far)
    expect(table.floorOf('product:far')).toBe(far)
    for (let i = 0; i < 12; i++) expect(table.floorOf(`product:${i}`)).toBeGreaterThanOrEqual(10 + i)
  })

  test('a late position between base and a moved origin is rounded up, not dropped', () => {
    const table = new TideTable({ buckets: 64, seed: 1 })
    table.raise('product:far', 2 ** 33)
    table.raise('product:late', 77)
    expect(table.floorOf('product:late')).toBeGreaterThanOrEqual(77)
    expect(table.floorOf('product:late')).toBeLessThan(2 ** 33)
  })

  test('what a full bucket forgot moves with the origin, and does not rise above the log', () => {
    const table = new TideTable({ buckets: 2, seed: 1 })
    const names = Array.from({ length: 60 }, (_, i) => `product:${i}`)
    const inFirst = names.filter((name) => bucketAt(table.locate([name]), firstPlace) === 0)
    const elsewhere = names.find((name) => bucketAt(table.locate([name]), firstPlace) !== 0)!
    const near = 2 ** 32 - 100
    for (let i = 0; i < 11; i++) table.raise(inFirst[i]!, near + i)
    table.raise(elsewhere, 2 ** 32 + 5)
    expect(table.floorOf(inFirst[20]!)).toBe(near)
  })

  test('an entry within reach of the moved origin stays exact', () => {
    const table = new TideTable({ buckets: 64, seed: 1 })
    table.raise('product:near', 2 ** 32 - 1)
    table.raise('product:far', 2 ** 32 + 5)
    expect(table.floorOf('product:near')).toBe(2 ** 32 - 1)
  })
})

describe('another history', () => {
  test('restart at a lower position forgets the floors of the history before', () => {
    const table = new TideTable({ buckets: 4, seed: 1 })
    table.raise('product:1', 100)
    table.restart(40)
    expect(table.base).toBe(40)
    expect(table.floorOf('product:1')).toBe(40)
    table.raise('product:1', 41)
    expect(table.floorOf('product:1')).toBe(41)
  })
})

describe('snapshots', () => {
  test('a snapshot is a copy: later changes do not reach it', () => {
    const table = new TideTable({ buckets: 4, seed: 1 })
    const before = table.snapshot()
    table.raise('product:1', 5)
    expect(before.words.every((word) => word === 0)).toBe(true)
  })

  test('places made before a restore took over another seed are sunk, not misread', () => {
    const other = new TideTable({ buckets: 64, seed: 2 })
    other.raise('product:1', 10)
    const table = new TideTable({ buckets: 64, seed: 1 })
    const made = table.locate(['product:1'])
    table.restore(other.snapshot())
    expect(table.floorAt(made)).toBe(Infinity)
    expect(table.floorAt(table.locate(['product:1']))).toBe(10)
  })

  test('a restored table goes on keeping floors when its base is raised below them', () => {
    const table = new TideTable({ buckets: 4, seed: 1 })
    table.raise('product:1', 100)
    const next = new TideTable({ buckets: 4, seed: 2 })
    next.restore(table.snapshot())
    next.raiseBase(50)
    expect(next.floorOf('product:1')).toBe(100)
  })

  test('a snapshot of another layout, or with numbers that are no positions, is refused and changes nothing', () => {
    const table = new TideTable({ buckets: 4, seed: 1 })
    table.raise('product:1', 5)
    const good = new TideTable({ buckets: 4, seed: 3 }).snapshot()
    expect(table.restore(new TideTable({ buckets: 8, seed: 3 }).snapshot())).toBe(false)
    expect(table.restore({ ...good, words: new Uint32Array(63) })).toBe(false)
    expect(table.restore({ ...good, origin: Number.NaN })).toBe(false)
    expect(table.restore({ ...good, base: 0.5 })).toBe(false)
    expect(table.restore({ ...good, base: -1 })).toBe(false)
    expect(table.floorOf('product:1')).toBe(5)
  })
})

describe('memory', () => {
  test('is 64 bytes a bucket, whatever is raised', () => {
    const table = new TideTable({ buckets: 16, seed: 1 })
    for (let i = 0; i < 5000; i++) table.raise(`product:${i}`, i + 1)
    expect(table.snapshot().words.byteLength).toBe(16 * 64)
    expect(new TideTable({ seed: 1 }).snapshot().words.byteLength).toBe(8 * 2 ** 20)
  })

  test.each([0, -4, 0.5, 3, 1.5, Number.NaN, Infinity, 2 ** 29])(
    '%d buckets are refused by name',
    (buckets) => {
      expect(() => new TideTable({ buckets, seed: 1 })).toThrow(/^buckets: /)
    },
  )
})
