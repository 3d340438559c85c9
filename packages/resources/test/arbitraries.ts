import fc from 'fast-check'

import { products } from '../src/catalogue/index.js'
import type { ListQuery, Place } from '../src/list-query.js'
import { int32Max } from '../src/scalar.js'

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((value) => !value.includes('\0'))
const id = fc.integer({ min: 1, max: int32Max })
const int32 = fc.integer({ min: -(2 ** 31), max: int32Max })

const sort = fc.record({
  field: fc.constantFrom(...products.sort),
  isDescending: fc.boolean(),
})

function placeIn(field: string): fc.Arbitrary<Place> {
  if (field === 'id') return id.map((value) => ({ value, id: value }))
  if (field === 'name') return fc.record({ value: text, id })
  if (field === 'priceCents') return fc.record({ value: int32, id })
  const instant = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  return fc.record({ value: instant.map((date) => date.toISOString()), id })
}

/** Any query that a list of products can be asked. */
export const productQuery: fc.Arbitrary<ListQuery> = fc
  .record({
    filters: fc.record({ categoryId: int32, brandId: int32, slug: text }, { requiredKeys: [] }),
    sort,
    limit: fc.integer({ min: 1, max: 100 }),
    include: fc.subarray([...products.includes.keys()]),
  })
  .chain((query) =>
    fc
      .option(placeIn(query.sort.field), { nil: undefined })
      .map((after) => ({ ...query, ...(after && { after }) })),
  )
