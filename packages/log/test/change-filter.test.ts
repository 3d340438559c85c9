import { expect, test } from 'vitest'

import type { Change, ChangeFilter } from '../src/index.js'
import { passing } from '../src/index.js'

const change = (resource: string, operation: string, ...tags: string[]): Change => ({
  ...{ resource, operation, tags, key: null, version: null, changedAt: 0, trace: null, reason: null },
})

const row = change(
  'product',
  'update',
  'product:42',
  'product',
  'product.categoryId=5',
  'product.categoryId=7',
)
const bulk = change('product', 'bulk', 'product!all')
const brand = change('brand', 'insert', 'brand:1', 'brand')
const external = (...tags: string[]): Change => change('-', 'invalidate', ...tags)

const passes = (filter: Partial<ChangeFilter>, given: Change): boolean =>
  passing({ resources: [], tags: [], ...filter })?.(given) ?? true

test('without a filter everything passes', () => {
  expect(passing({ resources: [], tags: [] })).toBeUndefined()
})

test('by resource: its own changes, and those of data outside Postgres that touch it', () => {
  const filter = { resources: ['product', 'category'] }
  for (const given of [row, bulk, external('product:1'), external('x', 'category!all'), external('*')])
    expect([given.tags, passes(filter, given)]).toEqual([given.tags, true])
  for (const given of [
    brand,
    external('brand'),
    external('products:1'),
    external('!ns:product'),
    external('x'),
  ])
    expect([given.tags, passes(filter, given)]).toEqual([given.tags, false])
})

test('by tag: what touched one of them, before or after the change', () => {
  expect(passes({ tags: ['product.categoryId=5'] }, row)).toBe(true)
  expect(passes({ tags: ['product.categoryId=7', 'brand:9'] }, row)).toBe(true)
  expect(passes({ tags: ['product.categoryId=6', 'product:4'] }, row)).toBe(false)
})

test('a change of everything about a resource, or of everything, touches each of its tags', () => {
  for (const tag of ['product.categoryId=6', 'product:4', 'product']) {
    expect(passes({ tags: [tag] }, bulk)).toBe(true)
    expect(passes({ tags: [tag] }, external('*'))).toBe(true)
  }
  expect(passes({ tags: ['brand:1'] }, bulk)).toBe(false)
})

test('a namespace that is cleared stands for its keys', () => {
  expect(passes({ tags: ['!shop:a:b'] }, external('!shop'))).toBe(true)
  expect(passes({ tags: ['!shop:a:b'] }, external('!shop:a'))).toBe(true)
  expect(passes({ tags: ['!shop:a'] }, external('!shop:a:b'))).toBe(false)
})

test('with both, both must hold', () => {
  const filter = { resources: ['product'], tags: ['product.categoryId=5', 'brand:1'] }
  expect(passes(filter, row)).toBe(true)
  expect(passes(filter, brand)).toBe(false)
  expect(passes(filter, external('product:1', 'x'))).toBe(false)
})
