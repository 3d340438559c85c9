import { describe, expect, test } from 'vitest'
import { TideTable } from '../src/index.js'
import { hashTag } from '../src/tag-hash.js'
import { seededRandom } from './seeded-random.js'

const families: Record<string, (i: number) => string> = {
  'entities in sequence': (i) => `product:${i}`,
  'facets in sequence': (i) => `product.categoryId=${i}`,
  'long names that differ at the front': (i) => `${i}-${'x'.repeat(60)}`,
  'names of one resource each': (i) => `resource${i}`,
  'uuids that differ at the end': (i) =>
    `product:0190b5a0-7d6c-7000-8000-${i.toString(16).padStart(12, '0')}`,
}

/** Chi-square over its degrees of freedom: 1 for perfect chance; a fault shows as 2 and up. */
function unevenness(counts: Uint32Array, total: number): number {
  const expected = total / counts.length
  let sum = 0
  for (const count of counts) sum += (count - expected) ** 2 / expected
  return sum / (counts.length - 1)
}

describe.each(Object.entries(families))('%s', (_, tagOf) => {
  const total = 65_536

  test.each([0, 1, 0xdeadbeef])('fill buckets and fingerprints as evenly as chance, seed %d', (seed) => {
    const buckets = new Uint32Array(4096)
    const fingerprints = new Uint32Array(4096)
    const pairs = new Set<number>()
    const into = new Uint32Array(2)
    for (let i = 0; i < total; i++) {
      hashTag(tagOf(i), seed, into)
      buckets[into[0]! & 4095]!++
      fingerprints[(into[1]! & 0xffff) >>> 4]!++
      pairs.add((into[0]! & 0x1ffff) * 65_536 + (into[1]! & 0xffff))
    }
    expect(unevenness(buckets, total)).toBeLessThan(1.15)
    expect(unevenness(fingerprints, total)).toBeLessThan(1.15)
    // 2^16 names over 2^33 pairs: a quarter of a collision is expected.
    expect(total - pairs.size).toBeLessThanOrEqual(5)
  })
})

test('two seeds put the same tags in unrelated places, so nobody can aim at one bucket for long', () => {
  const buckets = 1024
  const joint = new Uint32Array(64 * 64)
  const [a, b] = [new Uint32Array(2), new Uint32Array(2)]
  const total = 65_536
  for (let i = 0; i < total; i++) {
    hashTag(`product:${i}`, 1, a)
    hashTag(`product:${i}`, 2, b)
    joint[((a[0]! & (buckets - 1)) >>> 4) * 64 + ((b[0]! & (buckets - 1)) >>> 4)]!++
  }
  expect(unevenness(joint, total)).toBeLessThan(1.15)
})

/**
 * The figures of the design at 1/64 of its scale, so with the same load on each bucket: 2,048 buckets instead of
 * 131,072, 4 tags a change over 125,000 tags instead of 8 million, 100 / 64 changes a second. A value has three tags.
 */
function falseMisses(ageMinutes: number, seed: number): { tideTable: number; stripedArray: number } {
  const random = seededRandom(seed)
  const anyTag = () => Math.floor(random() * 125_000)
  const table = new TideTable({ buckets: 2048, seed })
  const stripes = new Float64Array(2048 * 8)
  const into = new Uint32Array(2)
  const stripeOf = (tag: string) => {
    hashTag(tag, seed, into)
    return into[0]! & (stripes.length - 1)
  }
  const changesSince = Math.round((100 / 64) * 60 * ageMinutes)
  const head = 3 * changesSince
  const touched = new Set<number>()
  for (let position = 1; position <= head; position++) {
    for (let i = 0; i < 4; i++) {
      const tag = anyTag()
      table.raise(`product:${tag}`, position)
      stripes[stripeOf(`product:${tag}`)] = position
      if (position > head - changesSince) touched.add(tag)
    }
  }
  const tidemark = head - changesSince
  let [values, sunk, sunkStriped] = [0, 0, 0]
  while (values < 5000) {
    const tags = [anyTag(), anyTag(), anyTag()]
    if (tags.some((tag) => touched.has(tag))) continue
    values++
    const names = tags.map((tag) => `product:${tag}`)
    if (table.floorAt(table.locate(names)) > tidemark) sunk++
    if (names.some((name) => stripes[stripeOf(name)]! > tidemark)) sunkStriped++
  }
  return { tideTable: sunk / values, stripedArray: sunkStriped / values }
}

describe('false misses at 100 changes a second, 4 tags each, over 8 million tags', () => {
  test('values 10 minutes old: next to none, where a striped array of the same size sinks half', () => {
    const share = falseMisses(10, 1)
    expect(share.tideTable).toBeLessThan(0.002)
    expect(share.stripedArray).toBeGreaterThan(0.45)
    expect(share.stripedArray).toBeLessThan(0.53)
  })

  test('values 30 minutes old: about one in eighteen, where a striped array sinks six of seven', () => {
    const share = falseMisses(30, 1)
    expect(share.tideTable).toBeGreaterThan(0.04)
    expect(share.tideTable).toBeLessThan(0.075)
    expect(share.stripedArray).toBeGreaterThan(0.83)
    expect(share.stripedArray).toBeLessThan(0.89)
  })
})
