/** The hit path gives the answer that the app would have given, or leaves the request to it. */
import { createCache } from '@tidemark/cache'
import { createDatabase, migrate } from '@tidemark/database'
import type { Database } from '@tidemark/database'
import type { CacheRules } from '@tidemark/resources'
import {
  Brand,
  categories,
  createRegistry,
  defineResource,
  Product,
  representationCodec,
} from '@tidemark/resources'
import { seed } from '@tidemark/resources/seed'
import { createHealth, createLogger, createMetrics, createReadiness, createServer } from '@tidemark/service'
import { emptyDatabase, eventually, exchange } from '@tidemark/testkit'
import type { EmptyDatabase, Received } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createReadApp } from '../src/app.js'
import { HandTide } from './fixture/hand-tide.js'

let scratch: EmptyDatabase
let database: Database
beforeAll(async () => {
  scratch = await emptyDatabase()
  await migrate(scratch.url)
  await seed(scratch.url, { products: 30 })
  database = createDatabase({ url: scratch.url, name: 'hit-path-test' })
})
afterAll(async () => {
  await database.close()
  await scratch.drop()
})

const logger = createLogger({ name: 'test', level: 'silent' })

/**
 * Two servers over one cache: `fast` tries the hit path first, `slow` has only the app. `rules` are those of products,
 * `ofBrands` those of brands.
 */
async function setUp(rules: Partial<CacheRules> = {}, ofBrands: Partial<CacheRules> = {}) {
  const cached = (more: object) =>
    ({ ttl: '10m', grace: '1h', level: 'bounded', maxLag: '2s', ...more }) as const
  const access = { read: [], write: [] }
  const products = defineResource({
    ...{ name: 'products', model: 'Product', schema: Product, access, cache: cached(rules) },
    ...{ facets: ['categoryId', 'brandId'], unique: ['slug'], sort: ['name'] },
    includes: {
      category: { resource: 'categories', field: 'categoryId' },
      brand: { resource: 'brands', field: 'brandId' },
    },
  })
  const brands = defineResource({
    ...{ name: 'brands', model: 'Brand', schema: Brand, access, cache: cached(ofBrands) },
    ...{ facets: [], unique: [] },
  })
  const tide = new HandTide()
  const cache = createCache({ follow: tide, namespace: 'test', codec: representationCodec })
  const metrics = createMetrics({ service: 'test' })
  const health = createHealth({ readiness: createReadiness(), logger, checks: [] })
  const registry = createRegistry([products, categories, brands])
  const { app, first } = createReadApp({ registry, cache, tide, database, logger, metrics, health })
  let taken = 0
  const counted: typeof first = (req, res) => {
    const isTaken = first(req, res)
    if (isTaken) taken++
    return isTaken
  }
  const fast = createServer({ app, first: counted, logger })
  const slow = createServer({ app, logger })
  for (const server of [fast, slow]) await server.listen({ port: 0, host: '127.0.0.1' })
  const ask = (server: typeof fast, path: string, headers: Record<string, string> = {}, method = 'GET') =>
    exchange(server.url, method, path, { headers })
  return {
    tide,
    metrics,
    fast: (path: string, headers?: Record<string, string>, method?: string) =>
      ask(fast, path, headers, method),
    slow: (path: string, headers?: Record<string, string>, method?: string) =>
      ask(slow, path, headers, method),
    /** Requests that the hit path has answered. */
    get taken() {
      return taken
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([fast.drain(AbortSignal.timeout(0)), slow.drain(AbortSignal.timeout(0))])
      cache.close()
    },
  }
}

/** Without what is the connection's or the request's own; names in lower case. */
function headersOf({ headers }: Received): Record<string, unknown> {
  const { date: _date, 'x-request-id': _id, connection: _connection, ...rest } = headers
  delete rest['keep-alive']
  return rest
}

const paths = [
  '/v1/products/1',
  '/v1/products',
  '/v1/products?categoryId=5&limit=3&sort=-name',
  '/v1/products/1?include=brand,category',
  '/v1/products?categoryId=5&include=category&limit=3',
]

describe('an answer of the hit path is the answer of the app', () => {
  test.each(paths)('%s: status, headers and bytes', async (path) => {
    await using house = await setUp()
    await house.slow(path)
    house.tide.pass(1)
    house.tide.prove()
    house.tide.pass(1_500)
    const [fast, slow] = [await house.fast(path), await house.slow(path)]
    expect(house.taken).toBe(1)
    expect(fast.status).toBe(200)
    expect(headersOf(fast)).toEqual(headersOf(slow))
    expect(fast.headers).toMatchObject({
      age: '1',
      tidemark: '1-3',
      'tidemark-lag': '1500',
      'cache-status': 'tidemark; hit; ttl=598; detail=l1',
    })
    expect(fast.text).toBe(slow.text)
  })

  test.each(paths)('%s: 304 where the client has it', async (path) => {
    await using house = await setUp()
    const etag = String((await house.slow(path)).headers.etag)
    for (const condition of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const [fast, slow] = [
        await house.fast(path, { 'If-None-Match': condition }),
        await house.slow(path, { 'If-None-Match': condition }),
      ]
      expect([fast.status, fast.text]).toEqual([304, ''])
      expect(headersOf(fast)).toEqual(headersOf(slow))
    }
    expect((await house.fast(path, { 'if-none-match': '"x"' })).status).toBe(200)
    expect(house.taken).toBe(5)
  })

  test('a value whose load no proof of lag has passed yet comes with the token asked for after it, on both', async () => {
    await using house = await setUp()
    house.tide.commit()
    const answers = [
      await house.slow('/v1/products/1'),
      await house.slow('/v1/products/1'),
      await house.fast('/v1/products/1'),
    ]
    expect(answers.map(({ headers }) => headers['tidemark'])).toEqual(['1-4', '1-4', '1-4'])
    expect(house.taken).toBe(1)
  })

  test('it is counted under the route of the app', async () => {
    await using house = await setUp()
    await house.slow('/v1/products/1')
    await house.fast('/v1/products/1')
    await house.slow('/v1/products/1?include=brand')
    await house.fast('/v1/products/1?include=brand')
    expect(house.taken).toBe(2)
    await eventually(async () => {
      const text = await house.metrics.registry.metrics()
      expect(text).toMatch(/duration_seconds_count\{.*http_route="\/v1\/products\/\{id\}".*\} 4\n/)
    })
  })
})

describe('it leaves to the app', () => {
  test.each([
    ['a token', '/v1/products/1', { Tidemark: '1-3' }],
    ['a token in other letters', '/v1/products/1', { tIDEMARK: '1-3' }],
    ['a level', '/v1/products/1', { 'Tidemark-Level': 'session' }],
    ['another spelling of the list', '/v1/products?limit=20', {}],
    ['another spelling of the row', '/v1/products/%31', {}],
    ['includes in another order', '/v1/products/1?include=category,brand', {}],
    ['includes that are escaped', '/v1/products/1?include=brand%2Ccategory', {}],
    ['a row that is not there', '/v1/products/999999', {}],
  ])('%s: the same answer', async (_, path, headers) => {
    await using house = await setUp()
    for (const warm of [...paths, '/v1/products/999999']) await house.slow(warm)
    const [fast, slow] = [await house.fast(path, headers), await house.slow(path, headers)]
    expect(house.taken).toBe(0)
    expect(headersOf(fast)).toEqual(headersOf(slow))
    expect([fast.status, fast.text.replace(/"requestId".*/, '')]).toEqual([
      slow.status,
      slow.text.replace(/"requestId".*/, ''),
    ])
  })

  test('HEAD, and every other method', async () => {
    await using house = await setUp()
    await house.slow('/v1/products/1')
    const head = await house.fast('/v1/products/1', {}, 'HEAD')
    expect([head.status, head.text]).toEqual([200, ''])
    expect((await house.fast('/v1/products/1', {}, 'DELETE')).status).toBe(405)
    expect(house.taken).toBe(0)
  })

  test('what shows a row whose resource is stricter than the one that names it', async () => {
    await using house = await setUp({}, { level: 'session' })
    for (const path of ['/v1/products/1?include=category', '/v1/products/1?include=brand']) {
      await house.slow(path)
      expect((await house.fast(path)).headers['cache-status']).toContain('detail=l1')
    }
    expect(house.taken).toBe(1)
  })

  test('what shows a row of a resource with a shorter bound, once that bound cannot be shown any more', async () => {
    await using house = await setUp({}, { maxLag: '1s' })
    for (const path of ['/v1/products/1', '/v1/products/1?include=brand']) await house.slow(path)
    house.tide.pass(1_001)
    await house.fast('/v1/products/1')
    expect(house.taken).toBe(1)
    const answer = await house.fast('/v1/products/1?include=brand')
    expect(answer.headers['cache-status']).toContain('detail=origin')
    expect(house.taken).toBe(1)
  })

  test('a value that shows a row that has changed', async () => {
    await using house = await setUp()
    const [one, list] = ['/v1/products/1?include=brand', '/v1/products?include=brand&limit=3']
    const brand = (await house.slow(one)).json<{ brand: { id: number } }>().brand.id
    await house.slow(list)
    house.tide.change('brand:999', 'category:1')
    for (const path of [one, list]) await house.fast(path)
    expect(house.taken).toBe(2)
    house.tide.change(`brand:${brand}`, 'brand')
    for (const path of [one, list])
      expect((await house.fast(path)).headers['cache-status']).toContain('detail=origin')
    expect(house.taken).toBe(2)
  })

  test('a value that has sunk, is past its ttl, or whose freshness the follower cannot show', async () => {
    await using house = await setUp({ ttl: '5s' })
    const path = '/v1/products/1'
    await house.slow(path)
    house.tide.change('product:2')
    await house.fast(path)
    expect(house.taken).toBe(1)

    house.tide.change('product:1')
    expect((await house.fast(path)).headers['cache-status']).toContain('detail=origin')
    expect(house.taken).toBe(1)

    house.tide.pass(2_000)
    await house.fast(path)
    expect(house.taken).toBe(2)
    house.tide.pass(1)
    expect((await house.fast(path)).headers['cache-status']).toContain('detail=origin')
    expect(house.taken).toBe(2)

    house.tide.prove()
    house.tide.pass(1_000)
    await house.fast(path)
    expect(house.taken).toBe(3)
    house.tide.pass(4_000)
    house.tide.prove()
    expect((await house.fast(path)).headers['cache-status']).toContain('detail=origin')
    expect(house.taken).toBe(3)
  })

  test.each(['session', 'strict'] as const)(
    'every answer of a resource whose own level is %s',
    async (level) => {
      await using house = await setUp({ level })
      for (let i = 0; i < 3; i++) expect((await house.fast('/v1/products/1')).status).toBe(200)
      expect((await house.fast('/v1/products/1')).headers['cache-status']).toContain('detail=l1')
      expect(house.taken).toBe(0)
    },
  )
})
