import { describe, expect, test } from 'vitest'
import { allTag, entityTag, everything, facetTag, listTag, resourceOf } from '../src/index.js'

describe('tags', () => {
  test('are the text that the capture triggers write', () => {
    expect(everything).toBe('*')
    expect(entityTag('product', 42)).toBe('product:42')
    expect(entityTag('product', 'a-b')).toBe('product:a-b')
    expect(listTag('product')).toBe('product')
    expect(allTag('product')).toBe('product!all')
    expect(facetTag('product', 'categoryId', 5)).toBe('product.categoryId=5')
    expect(facetTag('product', 'isActive', true)).toBe('product.isActive=true')
    expect(facetTag('product', 'slug', 'a=b')).toBe('product.slug=a=b')
  })

  test('tell the resource that they belong to', () => {
    const tags = [
      entityTag('product', 'a:b'),
      listTag('product'),
      allTag('product'),
      facetTag('product', 'slug', 'x!y'),
    ]
    expect(tags.map(resourceOf)).toEqual(['product', 'product', 'product', 'product'])
    expect([everything, '!ns', '!ns:product', '', 'two words', 'proDuct2:1'].map(resourceOf)).toEqual([
      ...[undefined, undefined, undefined, undefined, undefined],
      'proDuct2',
    ])
  })

  test.each([1.5, 2 ** 53, 1e21, Number.NaN, Infinity])(
    'the number %d, which Postgres may spell otherwise, is refused: a tag that no change touches would never sink',
    (value) => {
      expect(() => facetTag('product', 'price', value)).toThrow(/^product\.price: /)
      expect(() => entityTag('product', value)).toThrow(/^product: /)
    },
  )
})
