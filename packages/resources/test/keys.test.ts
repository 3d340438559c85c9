import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { products } from '../src/index.js'
import { productQuery } from './arbitraries.js'

const searchOf = (key: string): string => key.slice(products.path.length)

describe('canonical keys', () => {
  it('a query has one key, whatever the order of its parameters and whether defaults are spelled out', () => {
    fc.assert(
      fc.property(productQuery, fc.infiniteStream(fc.nat()), (query, order) => {
        const key = products.listKey(query)
        const parameters = new Map(new URLSearchParams(searchOf(key)))
        if (!parameters.has('sort')) parameters.set('sort', 'id')
        if (!parameters.has('limit')) parameters.set('limit', '20')
        const shuffled = [...parameters]
          .map((parameter) => ({ parameter, rank: order.next().value }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ parameter }) => parameter)
        const spelled = new URLSearchParams(shuffled).toString()
        expect(products.listKey(products.parseListQuery(`?${spelled}`))).toBe(key)
      }),
    )
  })

  it('the key says all of the query: it parses back to it', () => {
    fc.assert(
      fc.property(productQuery, (query) => {
        expect(products.parseListQuery(searchOf(products.listKey(query)))).toEqual(query)
      }),
    )
  })

  it('different queries have different keys', () => {
    fc.assert(
      fc.property(productQuery, productQuery, (one, other) => {
        const isSame = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
        expect(products.listKey(one) === products.listKey(other)).toBe(isSame)
      }),
    )
  })

  it('the parameters of a key are sorted, however the query was put together', () => {
    fc.assert(
      fc.property(productQuery, (query) => {
        const filters = Object.fromEntries(Object.entries(query.filters).reverse())
        const key = products.listKey(query)
        expect(products.listKey({ ...query, filters })).toBe(key)
        const names = [...new URLSearchParams(searchOf(key)).keys()]
        expect(names).toEqual(names.toSorted())
      }),
    )
  })

  it('a key is a URL path that no URL parser changes', () => {
    fc.assert(
      fc.property(productQuery, (query) => {
        const key = products.listKey(query)
        const { pathname, search } = new URL(key, 'http://tidemark.test')
        expect(decodeURIComponent(pathname + search)).toBe(decodeURIComponent(key))
      }),
    )
  })

  it('the plain list and a row are their paths', () => {
    expect(products.listKey(products.parseListQuery(''))).toBe('/v1/products')
    expect(products.listKey(products.parseListQuery('?sort=id&limit=20'))).toBe('/v1/products')
    expect(products.listKey(products.parseListQuery('?limit=5&categoryId=7'))).toBe(
      '/v1/products?categoryId=7&limit=5',
    )
    expect(products.entityKey(42)).toBe('/v1/products/42')
  })
})

describe('ids', () => {
  it('only the canonical text is an id', () => {
    expect(products.parseId('42')).toBe(42)
    expect(products.parseId('2147483647')).toBe(2_147_483_647)
    const refused = [
      '042',
      '4.2e1',
      '42.0',
      '-1',
      '-0',
      '0',
      '+1',
      ' 42',
      '42 ',
      '',
      '0x2a',
      '２',
      '2147483648',
      '1e3',
      '9'.repeat(30),
    ]
    for (const text of refused) expect(products.parseId(text), text).toBeUndefined()
  })

  it('a text that is an id is the text of that id', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789-.e+ ') })
    fc.assert(
      fc.property(fc.oneof(fc.string(), digits), (text) => {
        const id = products.parseId(text)
        if (id !== undefined) expect(String(id)).toBe(text)
      }),
    )
  })
})

const sorted = (query: { filters: object }): unknown => ({
  ...query,
  filters: Object.entries(query.filters).sort(([a], [b]) => (a < b ? -1 : 1)),
})
