import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import { defineResource } from '../src/index.js'
import type { ListQuery, Row } from '../src/index.js'

const things = defineResource({
  name: 'things',
  model: 'Thing',
  schema: z.object({
    id: z.int32(),
    slug: z.string(),
    shelf: z.int32().nullable(),
    size: z.enum(['s', 'l']),
    isNew: z.boolean(),
    price: z.int32(),
    version: z.int32(),
  }),
  facets: ['size', 'isNew', 'shelf'],
  unique: ['slug'],
  sort: ['price'],
  cache: { ttl: '1m', grace: '0s', level: 'bounded', maxLag: '2s' },
  access: { read: [], write: [] },
})

/** What `tidemark.capture()` writes for one change: the tags of the old row and of the new one. */
function tagsOfChange(before: Row | undefined, after: Row | undefined): Set<string> {
  const tags = new Set<string>()
  for (const row of [before, after]) {
    if (row === undefined) continue
    tags.add(`thing:${String(row.id)}`).add('thing')
    for (const field of things.captured) {
      if (row[field] !== null) tags.add(`thing.${field}=${String(row[field])}`)
    }
  }
  return tags
}

/** The list, computed in the plainest way. */
function answer(rows: readonly Row[], { filters, sort, limit }: ListQuery): string {
  const sign = sort.isDescending ? -1 : 1
  const number = (row: Row, field: string): number => row[field] as number
  const chosen = rows
    .filter((row) => Object.entries(filters).every(([field, value]) => row[field] === value))
    .sort(
      (a, b) => sign * (number(a, sort.field) - number(b, sort.field) || number(a, 'id') - number(b, 'id')),
    )
  return JSON.stringify(chosen.slice(0, limit))
}

const slug = fc.constantFrom('a', 'b', 'c', 'd')
const shelf = fc.constantFrom(1, 2)
const size = fc.constantFrom('s', 'l')
const row = fc.record({
  id: fc.integer({ min: 1, max: 6 }),
  slug,
  shelf: fc.option(shelf),
  size,
  isNew: fc.boolean(),
  price: fc.integer({ min: 0, max: 3 }),
  version: fc.integer({ min: 1, max: 3 }),
})
const rows = fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 6 })
const query: fc.Arbitrary<ListQuery> = fc.record({
  filters: fc.record({ slug, shelf, size, isNew: fc.boolean() }, { requiredKeys: [] }),
  sort: fc.record({ field: fc.constantFrom('id', 'price'), isDescending: fc.boolean() }),
  limit: fc.integer({ min: 1, max: 3 }),
  include: fc.constant([]),
})

describe('tags', () => {
  it('a change that alters the answer of a list touches a tag of that list', () => {
    fc.assert(
      fc.property(rows, row, fc.boolean(), query, (table, changed, isDelete, asked) => {
        const before = table.find(({ id }) => id === changed.id)
        const after = isDelete ? undefined : changed
        const others = table.filter(({ id }) => id !== changed.id)
        const changedTable = after === undefined ? others : [...others, after]
        fc.pre(answer(table, asked) !== answer(changedTable, asked))
        const touched = tagsOfChange(before, after)
        expect(things.tags.list(asked).some((tag) => touched.has(tag))).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  it('a change of a row touches the tag of the row and of its look-ups', () => {
    fc.assert(
      fc.property(row, row, (before, after) => {
        const touched = tagsOfChange(before, { ...after, id: before.id })
        expect(touched).toContain(things.tags.entity(before.id)[0])
        expect(touched).toContain(things.tags.unique('slug', before.slug)[0])
        expect(touched).toContain(things.tags.unique('slug', after.slug)[0])
      }),
    )
  })

  it('every value carries the tag of bulk changes', () => {
    expect(things.tags.entity(42)).toEqual(['thing:42', 'thing!all'])
    expect(things.tags.unique('slug', 'a')).toEqual(['thing.slug=a', 'thing!all'])
    expect(things.tags.list({ filters: {} })).toEqual(['thing', 'thing!all'])
  })

  it('a list with several filters carries the narrowest: a unique field, else the facet declared last', () => {
    const list = (filters: ListQuery['filters']): string => things.tags.list({ filters })[0]!
    expect(list({ size: 's', shelf: 1 })).toBe('thing.shelf=1')
    expect(list({ size: 's', isNew: false })).toBe('thing.isNew=false')
    expect(list({ shelf: 1, slug: 'a' })).toBe('thing.slug=a')
  })
})
