import { expect, test } from 'vitest'

import { HotIndex } from '../src/warm/hot-index.js'

const product = (id: number, heat: number, more: string[] = []) => ({
  key: `/v1/products/${id}`,
  tags: [`product:${id}`, 'product!all', ...more],
  heat,
})
const index = (...cards: ReturnType<typeof product>[][]): HotIndex => {
  const made = new HotIndex()
  made.renew(cards.map((keys, n) => ({ id: String(n), keys })))
  return made
}
const idsOf = (keys: readonly { key: string }[]): string[] => keys.map(({ key }) => key.slice(13)).sort()

test('a change sinks the hot keys that carry one of its tags, and no others', () => {
  const hot = index([product(1, 1), product(2, 1, ['brand:7']), product(3, 1)])
  expect(idsOf(hot.sunkBy(['product:1', 'product', 'brand:7', 'product.categoryId=5']))).toEqual(['1', '2'])
  expect(hot.sunkBy(['product:9', 'brand'])).toEqual([])
})

test.each([
  ['all of a resource', 'product!all', ['1', '2']],
  ['everything', '*', ['1', '2']],
  ['a cache that was cleared', '!read-1', ['1', '2']],
  ['one key of a cache', '!read-1:/v1/products/2', ['2']],
])('%s', (_, tag, sunk) => {
  expect(idsOf(index([product(1, 1), product(2, 1)]).sunkBy([tag]))).toEqual(sunk)
})

test('readers are added up, hottest first, with the tags that any of them knows', () => {
  const hot = index([product(1, 3), product(2, 4)], [product(1, 2, ['brand:7'])])
  expect(hot.all).toEqual([
    { ...product(1, 5), tags: ['product:1', 'product!all', 'brand:7'] },
    product(2, 4),
  ])
})

test('however many readers, the hottest are kept and the rest is not', () => {
  const cards = Array.from({ length: 30 }, (_, n) =>
    Array.from({ length: 200 }, (_, m) => product(n * 200 + m, n * 200 + m)),
  )
  const hot = index(...cards)
  expect(hot.size).toBe(2_000)
  expect(hot.all[0]).toEqual(product(5_999, 5_999))
  expect(hot.sunkBy(['product:1'])).toEqual([])
  hot.renew([])
  expect([hot.size, hot.sunkBy(['product!all'])]).toEqual([0, []])
})
