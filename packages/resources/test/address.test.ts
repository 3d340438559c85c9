import { describe, expect, test } from 'vitest'

import { addressOf, catalogue, keyAt, tagsOf } from '../src/index.js'

describe('a canonical URL is read back as what it names', () => {
  test.each([
    ['/v1/products/42', ['product:42', 'product!all']],
    ['/v1/products', ['product', 'product!all']],
    ['/v1/products?categoryId=5', ['product.categoryId=5', 'product!all']],
    ['/v1/brands/1', ['brand:1', 'brand!all']],
    ['/v1/products/42?include=brand,category', ['product:42', 'product!all']],
    ['/v1/products?include=brand', ['product', 'product!all']],
  ])('%s', (url, tags) => {
    const address = addressOf(catalogue, url)!
    expect(tagsOf(address)).toEqual(tags)
    expect(keyAt(address)).toBe(url)
  })

  test.each([
    '/v1/products/042',
    '/v1/products/',
    '/v1/products/1/2',
    '/v1/products/1?limit=2',
    '/v1/products/1?include=category,brand',
    '/v1/products/1?include=nothing',
    '/v1/products/1?include=',
    '/v1/products?limit=20',
    '/v1/products?nonsense=1',
    '/v1/products?categoryId=x',
    '/v1/nothing/1',
    '/v2/products/1',
    '/metrics',
    '',
  ])('%j names nothing, or another key', (url) => {
    expect(addressOf(catalogue, url)).toBeUndefined()
  })
})
