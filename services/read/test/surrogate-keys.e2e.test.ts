/** What a cache in front that is purged by key is told. */
import type { House } from '@tidemark/testkit'
import { eventually } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startShop } from './fixture/shop.js'

let house: House
beforeAll(async () => {
  house = await startShop({ services: ['invalidation', 'read'], env: { SURROGATE_KEYS: 'true' } })
})
afterAll(() => house.stop())

const isHit = (status: unknown): boolean => String(status).includes('hit')

test.each([
  ['/v1/products/1', ['product:1', 'product!all']],
  ['/v1/products?limit=2', ['product', 'product!all']],
  ['/v1/products?categoryId=5&limit=2', ['product.categoryId=5', 'product!all']],
])('%s names what it depends on, whichever path answers', async (path, wanted) => {
  const keysOf = async (headers: Record<string, string>) => {
    const answer = await house.read.get(path, headers)
    expect(answer.status).toBe(200)
    return String(answer.headers['surrogate-key']).split(' ')
  }
  // Through the app, and by the hit path.
  expect(await keysOf({ 'Tidemark-Level': 'strict' })).toEqual(wanted)
  const hit = await eventually(async () => {
    const answer = await house.read.get(path)
    return isHit(answer.headers['cache-status']) && answer
  })
  expect(hit.headers['surrogate-key']).toBe(wanted.join(' '))
  expect(hit.headers['surrogate-control']).toMatch(/^max-age=[1-9]\d*$/)
  expect(hit.headers['vary']).toBe('Tidemark, Tidemark-Level')
  expect(hit.headers['cache-control']).toBe('no-cache')
})

test('an answer that shows other rows names them too', async () => {
  const { headers, text } = await house.read.get('/v1/products/1?include=category')
  const { category } = JSON.parse(text) as { category: { id: number } }
  expect(String(headers['surrogate-key']).split(' ')).toContain(`category:${category.id}`)
})

test('what was asked with a token or a level is kept for nobody', async () => {
  const asked: Record<string, string>[] = [{ 'Tidemark-Level': 'strict' }, { Tidemark: '1-1' }]
  for (const headers of asked) {
    const answer = await house.read.get('/v1/products/2', headers)
    expect(answer.headers['surrogate-control']).toBe('max-age=0')
  }
})

test('without SURROGATE_KEYS nothing is said', async () => {
  const plain = await house.start('read', { SURROGATE_KEYS: '' })
  const answer = await plain.get('/v1/products/1')
  expect(Object.keys(answer.headers).filter((name) => /surrogate|vary/.test(name))).toEqual([])
})
