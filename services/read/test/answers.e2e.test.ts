/** What an answer of the read service says of itself, and how it is asked for. */
import { eventually, exchange } from '@tidemark/testkit'
import type { House, Received } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { cacheStatus, layerOf } from './fixture/cache-status.js'
import { createProduct, tokenOf } from './fixture/products.js'
import type { Page, Product } from './fixture/products.js'
import { startShop } from './fixture/shop.js'

let house: House
beforeAll(async () => {
  house = await startShop()
})
afterAll(() => house.stop())

const get = (path: string, headers?: Record<string, string>): Promise<Received> =>
  house.read.get(path, headers)
const batchGet = (ids: unknown[], headers = {}): Promise<Received> =>
  house.read.send('POST', '/v1/products:batchGet', { json: { ids }, headers })

async function warm(path: string): Promise<Received> {
  return eventually(async () => {
    const answer = await get(path)
    expect(layerOf(answer)).toBe('l1')
    return answer
  })
}

describe('the headers of an answer', () => {
  test('Cache-Status names the layer that answered: origin, then memory, then Redis for another process', async () => {
    const path = '/v1/products/21'
    const first = await get(path)
    expect(cacheStatus(first)).toEqual({ cache: 'tidemark', fwd: 'miss', detail: 'origin' })
    const second = await warm(path)
    expect(cacheStatus(second)).toEqual({
      cache: 'tidemark',
      hit: true,
      ttl: expect.any(Number) as number,
      detail: 'l1',
    })
    expect(Number(cacheStatus(second)['ttl'])).toBeGreaterThan(590)
    expect(Number(cacheStatus(second)['ttl'])).toBeLessThanOrEqual(600)
    const other = await house.start('read')
    // The very first requests may come before it has reached Redis.
    let id = 60
    await eventually(async () => {
      id = id === 90 ? 60 : id + 1
      await warm(`/v1/products/${id}`)
      expect(layerOf(await other.get(`/v1/products/${id}`))).toBe('l2')
    })
    await other.process.kill('SIGKILL')
  })

  test('Age and Tidemark-Lag are whole numbers, Tidemark is a token, and nothing may be reused unasked', async () => {
    const { headers } = await eventually(async () => {
      const answer = await warm('/v1/products/22')
      expect(answer.headers['tidemark']).toBeDefined()
      return answer
    })
    expect(headers.age).toMatch(/^\d+$/)
    expect(headers['tidemark']).toMatch(/^1-\d+$/)
    expect(headers['tidemark-lag']).toMatch(/^\d+$/)
    expect(Number(headers['tidemark-lag'])).toBeLessThanOrEqual(2_000)
    expect(headers['cache-control']).toBe('no-cache')
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  test('a strict answer shows a lag no longer than its own request took, also from memory', async () => {
    await warm('/v1/products/23')
    const startedAt = performance.now()
    const answer = await get('/v1/products/23', { 'Tidemark-Level': 'strict' })
    const tookMs = performance.now() - startedAt
    expect(layerOf(answer)).toBe('l1')
    expect(Number(answer.headers['tidemark-lag'])).toBeLessThanOrEqual(Math.ceil(tookMs))
  })

  test('a load that takes long shows that long a lag: it may lack what was committed meanwhile', async () => {
    const waitMs = 300
    // Loads wait for the lock; sequencing does not.
    const slow = house.sql(`BEGIN; LOCK TABLE product; SELECT pg_sleep(${waitMs / 1_000}); COMMIT`)
    await eventually(async () => {
      const [held] = await house.sql(`SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
        AND relation = 'product'::regclass`)
      return held !== undefined
    })
    const startedAt = performance.now()
    const answer = await get('/v1/products/24')
    const tookMs = performance.now() - startedAt
    await slow
    expect(layerOf(answer)).toBe('origin')
    expect(Number(answer.headers['tidemark-lag'])).toBeGreaterThan(0.5 * tookMs)
  })

  test('HEAD has the headers of GET and no body', async () => {
    const got = await warm('/v1/products/25')
    const head = await house.read.send('HEAD', '/v1/products/25')
    expect(head.status).toBe(200)
    expect(head.text).toBe('')
    for (const name of ['etag', 'content-length', 'content-type', 'cache-control'])
      expect(head.headers[name]).toBe(got.headers[name])
    expect((await house.read.send('HEAD', '/v1/products/999999')).status).toBe(404)
  })

  test('an answer that there is nothing says how fresh that is', async () => {
    const path = '/v1/products/888888'
    expect((await get(path)).status).toBe(404)
    const again = await warm(path)
    expect(again.status).toBe(404)
    expect(cacheStatus(again)).toMatchObject({ hit: true, detail: 'l1' })
    expect(Number(cacheStatus(again)['ttl'])).toBeLessThanOrEqual(60)
    await eventually(async () => {
      expect(tokenOf(await get(path))).toMatch(/^1-\d+$/)
    })
  })
})

describe('a client that has the answer already is told so', () => {
  for (const path of ['/v1/products/26', '/v1/products?limit=3&categoryId=2']) {
    test(`${path}: 304 for its ETag alone, weak, in a list, and for *; 200 for any other`, async () => {
      const { headers } = await get(path)
      const etag = String(headers.etag)
      expect(etag).toMatch(/^"[\w-]+"$/)
      for (const condition of [etag, `W/${etag}`, `"x", ${etag}`, `W/"x",W/${etag}`, '*', ` ${etag} `]) {
        const answer = await get(path, { 'If-None-Match': condition })
        expect([condition, answer.status, answer.text]).toEqual([condition, 304, ''])
        expect(answer.headers.etag).toBe(etag)
        expect(answer.headers['cache-control']).toBe('no-cache')
      }
      for (const condition of ['"x"', 'W/"x", "y"', etag.slice(1, -1), '']) {
        expect([condition, (await get(path, { 'If-None-Match': condition })).status]).toEqual([
          condition,
          200,
        ])
      }
    })
  }

  test('the ETag that the write service gave is that of the read service', async () => {
    const write = await house.write.send('PATCH', '/v1/products/27', { json: { stock: 77 } })
    const headers = { Tidemark: tokenOf(write), 'If-None-Match': String(write.headers.etag) }
    expect((await get('/v1/products/27', headers)).status).toBe(304)
  })
})

describe('a list', () => {
  test('a walk through the pages meets every row once, in order, in both directions', async () => {
    const all = await house.sql<{ id: number }>('SELECT id FROM product ORDER BY price_cents, id')
    for (const [sort, expected] of [
      ['priceCents', all.map(({ id }) => id)],
      ['-priceCents', all.map(({ id }) => id).toReversed()],
    ] as const) {
      const met: number[] = []
      let cursor: string | null = null
      do {
        const next: string = cursor === null ? '' : `&cursor=${cursor}`
        const page: Page = (await get(`/v1/products?limit=60&sort=${sort}${next}`)).json<Page>()
        met.push(...page.data.map(({ id }) => id))
        cursor = page.nextCursor
      } while (cursor !== null)
      expect(met).toEqual(expected)
    }
  })

  test('a row that is made during the walk shifts none of the others', async () => {
    const first = (await get('/v1/products?limit=5&sort=name')).json<Page>()
    await createProduct(house, { name: 'A' })
    const cursor = String(first.nextCursor)
    const second = (await get(`/v1/products?limit=5&sort=name&cursor=${cursor}`)).json<Page>()
    const expected = await house.sql<{ id: number }>(
      `SELECT id FROM product WHERE name <> 'A' ORDER BY name, id OFFSET 5 LIMIT 5`,
    )
    expect(second.data.map(({ id }) => id)).toEqual(expected.map(({ id }) => id))
  })

  test('the same question in another spelling is one entry in the cache', async () => {
    await warm('/v1/products?categoryId=3&limit=4')
    const other = await get('/v1/products?limit=4&sort=id&categoryId=3')
    expect(layerOf(other)).toBe('l1')
  })
})

describe('batchGet', () => {
  test('rows come in the order of the ids, each once, and ids without a row are listed', async () => {
    const answer = await batchGet([33, 31, 999_999, 33, 32, 999_999])
    expect(answer.status).toBe(200)
    const { data, missing } = answer.json<Page & { missing: number[] }>()
    expect(data.map(({ id }) => id)).toEqual([33, 31, 32])
    expect(missing).toEqual([999_999])
    const one = await get('/v1/products/31')
    expect(data[1]).toEqual(one.json<Product>())
    expect(layerOf(await batchGet([33, 31, 32]))).toBe('l1')
  })

  test('it is as fresh as its least fresh row', async () => {
    await warm('/v1/products/34')
    const answer = await batchGet([34, 35])
    expect(cacheStatus(answer)).toMatchObject({ fwd: 'miss', detail: 'origin' })
    expect(answer.headers.etag).toBeUndefined()
    const session = await batchGet([34, 35], { 'Tidemark-Level': 'session' })
    expect(tokenOf(session)).toMatch(/^1-\d+$/)
  })

  test('with a token it holds the write that the token stands for', async () => {
    await batchGet([36, 37])
    const write = await house.write.send('PATCH', '/v1/products/37', { json: { stock: 370 } })
    const { data } = (await batchGet([36, 37], { Tidemark: tokenOf(write) })).json<Page>()
    expect(data[1]?.stock).toBe(370)
  })
})

test('100 readers of one missing row cost one read of the origin', async () => {
  const loads = () => house.read.metric('tidemark_cache_answers_total', { layer: 'origin' })
  let isCollapsed = false
  // On a busy machine the first may be answered before the second has come: another row then.
  for (let id = 41; id < 61 && !isCollapsed; id++) {
    const before = await loads()
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => exchange(house.read.url, 'GET', `/v1/products/${id}`)),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(await loads()).toBe(before + 1)
    isCollapsed = answers.some((answer) => cacheStatus(answer)['collapsed'] === true)
  }
  expect(isCollapsed).toBe(true)
})
