import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { formatCursor, parseCursor } from '../src/cursor.js'
import { products, ResourceError } from '../src/index.js'
import { productQuery } from './arbitraries.js'

const paged = productQuery.filter(({ after }) => after !== undefined)

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof ResourceError) return error.code
    throw error
  }
}

describe('cursors', () => {
  it('a cursor comes back as the place it was made from', () => {
    fc.assert(
      fc.property(paged, (query) => {
        expect(parseCursor(products, query, formatCursor(query, query.after!))).toEqual(query.after)
      }),
    )
  })

  it('a cursor of another order or other filters is refused', () => {
    fc.assert(
      fc.property(paged, productQuery, (made, asked) => {
        const order = ({ filters, sort }: typeof made): string =>
          JSON.stringify([sort, Object.entries(filters).sort()])
        fc.pre(order(made) !== order(asked))
        expect(codeOf(() => parseCursor(products, asked, formatCursor(made, made.after!)))).toBe(
          'resource.cursor',
        )
      }),
    )
  })

  it('whoever changes a filter under a cursor is told what is wrong', () => {
    const made = products.parseListQuery('?categoryId=1')
    const cursor = formatCursor(made, { value: 5, id: 5 })
    for (const search of ['', '?categoryId=2', '?categoryId=1&brandId=1', '?categoryId=1&sort=-id']) {
      const asked = products.parseListQuery(search)
      expect(() => parseCursor(products, asked, cursor), search).toThrow(/another sort or other filters/)
    }
    const largerPages = products.parseListQuery('?categoryId=1&limit=50')
    expect(parseCursor(products, largerPages, cursor)).toEqual({ value: 5, id: 5 })
  })

  it('garbage is refused by name, and never fails otherwise', () => {
    const json = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'))
    fc.assert(
      fc.property(productQuery, fc.oneof(fc.string(), fc.base64String(), json), (query, text) => {
        expect(codeOf(() => parseCursor(products, query, text))).toBe('resource.cursor')
      }),
    )
  })

  it('a cursor with one letter changed is refused, or is the honest cursor of another place', () => {
    fc.assert(
      fc.property(paged, fc.nat(), fc.constantFrom(...'AZaz09-_'), (query, at, letter) => {
        const text = formatCursor(query, query.after!)
        const place = at % text.length
        const changed = text.slice(0, place) + letter + text.slice(place + 1)
        try {
          expect(formatCursor(query, parseCursor(products, query, changed))).toBe(changed)
        } catch (error) {
          if (!(error instanceof ResourceError)) throw error
          expect(error.code).toBe('resource.cursor')
        }
      }),
    )
  })

  it('a value that the column cannot hold is refused: Postgres would fail on it', () => {
    const { filters } = products.parseListQuery('')
    const forge = (field: string, value: unknown, id: unknown = 1): string | undefined => {
      const query = { filters, sort: { field, isDescending: false } }
      return codeOf(() => parseCursor(products, query, formatCursor(query, { value, id } as never)))
    }
    expect(forge('priceCents', 5)).toBeUndefined()
    expect(forge('priceCents', 2 ** 31)).toBe('resource.cursor')
    expect(forge('priceCents', 1.5)).toBe('resource.cursor')
    expect(forge('priceCents', '5')).toBe('resource.cursor')
    expect(forge('name', 'a\0b')).toBe('resource.cursor')
    expect(forge('name', '\ud800')).toBe('resource.cursor')
    expect(forge('name', { gt: 1 })).toBe('resource.cursor')
    expect(forge('createdAt', '2026-01-01')).toBe('resource.cursor')
    expect(forge('createdAt', '0000-01-01T00:00:00.000Z')).toBe('resource.cursor')
    expect(forge('createdAt', '-000001-01-01T00:00:00.000Z')).toBe('resource.cursor')
    expect(forge('id', 7, 8)).toBe('resource.cursor')
    expect(forge('name', 'a', 0)).toBe('resource.cursor')
    expect(forge('name', 'a', 2 ** 31)).toBe('resource.cursor')
  })
})
