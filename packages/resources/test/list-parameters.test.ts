import { describe, expect, it } from 'vitest'

import { brands, products, ResourceError } from '../src/index.js'

function issuesOf(search: string): string[] {
  try {
    products.parseListQuery(search)
    return []
  } catch (error) {
    if (!(error instanceof ResourceError)) throw error
    expect(error.code).toBe('resource.query')
    return error.issues.map(({ field }) => field)
  }
}

describe('list parameters', () => {
  it('every mistake is named, not just the first', () => {
    expect(issuesOf('?colour=red&categoryId=x&limit=0&sort=stock')).toEqual([
      'colour',
      'categoryId',
      'sort',
      'limit',
    ])
  })

  it('a parameter given twice is refused, also with the same value', () => {
    expect(issuesOf('?categoryId=1&categoryId=1')).toEqual(['categoryId'])
    expect(issuesOf('?limit=5&limit=6')).toEqual(['limit'])
  })

  it.each(['042', '1.0', '1e2', '', '-', ' 1', '2147483648', 'null', '1,2'])(
    'categoryId=%s is no number',
    (text) => {
      expect(issuesOf(`?categoryId=${encodeURIComponent(text)}`)).toEqual(['categoryId'])
    },
  )

  it.each(['0', '101', '05', '1e1', '-1', '', 'all'])('limit=%s is out of bounds', (text) => {
    expect(issuesOf(`?limit=${text}`)).toEqual(['limit'])
  })

  it.each(['', '-', 'stock', '--id', '-stock', 'id,name', 'toString'])('sort=%s is no order', (text) => {
    expect(issuesOf(`?sort=${text}`)).toEqual(['sort'])
  })

  it.each([
    '',
    ',',
    'brand,',
    'brand,brand',
    'Brand',
    'brand category',
    'stock',
    'toString',
    'brand,,category',
  ])('include=%s is no set of relations', (text) => {
    expect(issuesOf(`?include=${encodeURIComponent(text)}`)).toEqual(['include'])
  })

  it('an include given in another order is the same query; one of a resource without relations is unknown', () => {
    const query = products.parseListQuery('?include=category,brand')
    expect(query.include).toEqual(['brand', 'category'])
    expect(products.listKey(query)).toBe('/v1/products?include=brand,category')
    expect(() => brands.parseListQuery('?include=category')).toThrow(/include: is unknown/)
  })

  it('names that every object has are unknown parameters like any other', () => {
    expect(issuesOf('?__proto__=1&constructor=2')).toEqual(['__proto__', 'constructor'])
  })

  it('text that Postgres cannot store is refused', () => {
    expect(issuesOf('?slug=a%00b')).toEqual(['slug'])
    expect(issuesOf(`?slug=${'a'.repeat(501)}`)).toEqual(['slug'])
  })

  it('the documented parameters are the ones that are read', () => {
    expect(Object.keys(products.schemas.listQuery.shape)).toEqual([
      ...products.filters,
      'sort',
      'limit',
      'cursor',
      'include',
    ])
    expect(Object.keys(brands.schemas.listQuery.shape)).not.toContain('include')
  })
})
