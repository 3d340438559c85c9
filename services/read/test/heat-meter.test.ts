import { catalogue } from '@tidemark/resources'
import { expect, test } from 'vitest'

import { HeatMeter } from '../src/heat/heat-meter.js'

function setUp() {
  let nowMs = 0
  let seed = 1
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
  const meter = new HeatMeter({ registry: catalogue, random, now: () => nowMs })
  return {
    meter,
    ask(url: string, times: number, rawHeaders: string[] = [], tags?: string[]) {
      for (let n = 0; n < times; n++) meter.note({ url, rawHeaders }, tags && { tags })
    },
    pass(ms: number) {
      nowMs += ms
      return meter.hottest()
    },
  }
}

test('what the house asks of itself makes no key hot', () => {
  const { ask, pass } = setUp()
  ask('/v1/products/1', 10, ['Accept', '*/*', 'TIDEMARK-PURPOSE', 'warm'])
  ask('/v1/products/2', 10, ['Accept', '*/*', 'Tidemark', '1-2'])
  expect(pass(1_000).map(({ key }) => key)).toEqual(['/v1/products/2'])
})

test('only keys are told: canonical URLs of resources, with what they depend on', () => {
  const { ask, pass } = setUp()
  for (const url of [
    '/v1/products/007',
    '/v1/products?limit=20',
    '/metrics',
    `/v1/products/${'9'.repeat(2_000)}`,
  ])
    ask(url, 10)
  ask('/v1/products?categoryId=5', 6)
  ask('/v1/products/3', 4)
  ask('/v1/products/4', 3, [], ['product:4', 'brand:9'])
  expect(pass(1_000).map(({ key, tags }) => [key, ...tags])).toEqual([
    ['/v1/products?categoryId=5', 'product.categoryId=5', 'product!all'],
    ['/v1/products/3', 'product:3', 'product!all'],
    ['/v1/products/4', 'product:4', 'brand:9'],
  ])
})

test('a busy reader counts one request in several, and tells the same rates', () => {
  const { ask, pass } = setUp()
  let told = pass(1_000)
  for (let second = 0; second < 60; second++) {
    for (let n = 0; n < 200; n++) {
      ask('/v1/products/1', 60)
      ask('/v1/products/2', 20)
    }
    told = pass(1_000)
  }
  const [first, second] = told
  expect([first!.key, second!.key]).toEqual(['/v1/products/1', '/v1/products/2'])
  expect(first!.heat / second!.heat).toBeGreaterThan(2)
  expect(first!.heat / second!.heat).toBeLessThan(4)
  expect(first!.heat).toBeGreaterThan(9_000)
  expect(first!.heat).toBeLessThan(15_000)
})
