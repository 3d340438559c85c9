/** What a reader sees of what was written: each level's promise, over real processes and stores. */
import { eventually, seenWithin } from '@tidemark/testkit'
import type { House, Received } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { layerOf } from './fixture/cache-status.js'
import { createProduct, productBody, tokenOf } from './fixture/products.js'
import type { Page, Product } from './fixture/products.js'
import { startShop } from './fixture/shop.js'

let house: House
beforeAll(async () => {
  house = await startShop()
})
afterAll(() => house.stop())

/** Of every resource of the sample shop. */
const maxLagMs = 2_000

const stockOf = (answer: Received): number => answer.json<Product>().stock
const get = (path: string, headers?: Record<string, string>): Promise<Received> =>
  house.read.get(path, headers)

/** Reads until the plain answer comes from memory. */
async function warm(path: string): Promise<void> {
  await eventually(async () => {
    expect(layerOf(await get(path))).toBe('l1')
  })
}

describe('session: whoever sends the token of a write sees the write', () => {
  test('after POST, PUT, PATCH and DELETE, each time although the answer before was held in memory', async () => {
    const { id, token } = await createProduct(house)
    const path = `/v1/products/${id}`
    expect(stockOf(await get(path, { Tidemark: token }))).toBe(7)

    await warm(path)
    const put = await house.write.send('PUT', path, { json: { ...productBody(), stock: 8, attributes: {} } })
    expect(put.status).toBe(200)
    expect(stockOf(await get(path, { Tidemark: tokenOf(put) }))).toBe(8)

    await warm(path)
    const patch = await house.write.send('PATCH', path, { json: { stock: 9 } })
    expect(stockOf(await get(path, { Tidemark: tokenOf(patch) }))).toBe(9)

    await warm(path)
    const gone = await house.write.send('DELETE', path)
    expect(gone.status).toBe(204)
    expect((await get(path, { Tidemark: tokenOf(gone) })).status).toBe(404)
  })

  test('a batch is seen as a whole, by id and in the lists it touched', async () => {
    const { id } = await createProduct(house, { categoryId: 11 })
    await warm(`/v1/products/${id}`)
    await warm('/v1/products?categoryId=11')
    const operations = [
      { op: 'patch', id, data: { stock: 55 } },
      { op: 'create', data: productBody({ categoryId: 11, stock: 56 }) },
    ]
    const batch = await house.write.send('POST', '/v1/products:batch', { json: { operations } })
    expect(batch.status).toBe(200)
    const headers = { Tidemark: tokenOf(batch) }
    expect(stockOf(await get(`/v1/products/${id}`, headers))).toBe(55)
    const { data } = (await get('/v1/products?categoryId=11', headers)).json<Page>()
    expect(data.map(({ stock }) => stock)).toEqual(expect.arrayContaining([55, 56]))
  })

  test('the token of one reader`s answer is honoured by another, also by one that hears of nothing', async () => {
    const { id } = await createProduct(house)
    const path = `/v1/products/${id}`
    // Without the stream it looks into the log about once a second, unless a token tells it to.
    const other = await house.start('read', { REDIS_URL: 'redis://127.0.0.1:1' })
    let token = tokenOf(await get(path, { 'Tidemark-Level': 'session' }))
    for (let stock = 100; stock < 110; stock++) {
      await house.sql('UPDATE product SET stock = $2 WHERE id = $1', [id, stock])
      const seen = await get(path, { Tidemark: token, 'Tidemark-Level': 'strict' })
      expect(stockOf(seen)).toBe(stock)
      token = tokenOf(seen)
      expect(stockOf(await other.get(path, { Tidemark: token }))).toBe(stock)
    }
    await other.process.kill('SIGKILL')
  })

  test('a token beyond the log, of another deployment, is refused by name', async () => {
    const answer = await get('/v1/products/1', { Tidemark: '1-999999999' })
    expect(answer.status).toBe(400)
    expect(answer.json()).toMatchObject({ errors: [{ in: 'header', field: 'Tidemark' }] })
    const later = await get('/v1/products/1', { Tidemark: '77-1' })
    expect(later.status).toBe(400)
  })
})

describe('strict: an answer holds what was committed before its request', () => {
  test('raw SQL is seen at once, by id, in a list and in a batch', async () => {
    const { id } = await createProduct(house, { categoryId: 12 })
    const strict = { 'Tidemark-Level': 'strict' }
    for (let stock = 200; stock < 210; stock++) {
      await warm(`/v1/products/${id}`)
      await house.sql('UPDATE product SET stock = $2 WHERE id = $1', [id, stock])
      expect(stockOf(await get(`/v1/products/${id}`, strict))).toBe(stock)
    }
    await house.sql('UPDATE product SET stock = 210 WHERE id = $1', [id])
    const { data } = (await get('/v1/products?categoryId=12&sort=-createdAt', strict)).json<Page>()
    expect(data.find((row) => row.id === id)?.stock).toBe(210)
    const many = await house.read.send('POST', '/v1/products:batchGet', {
      json: { ids: [id] },
      headers: strict,
    })
    expect(many.json<Page>().data[0]?.stock).toBe(210)
  })
})

describe('bounded: an answer holds what was committed longer ago than maxLag', () => {
  test('a write and raw SQL become visible without a token, well within the bound', async () => {
    const { id } = await createProduct(house)
    const path = `/v1/products/${id}`
    await warm(path)
    await house.write.send('PATCH', path, { json: { stock: 301 } })
    await seenWithin(maxLagMs, async () => stockOf(await get(path)) === 301)
    await warm(path)
    await house.sql('UPDATE product SET stock = 302 WHERE id = $1', [id])
    await seenWithin(maxLagMs, async () => stockOf(await get(path)) === 302)
  })

  test('between changes nothing is read from the origin', async () => {
    await warm('/v1/products/3')
    const loads = () => house.read.metric('tidemark_cache_answers_total', { layer: 'origin' })
    const before = await loads()
    for (let i = 0; i < 50; i++) expect(layerOf(await get('/v1/products/3'))).toBe('l1')
    expect(await loads()).toBe(before)
  })
})

describe('a change sinks what it touched and nothing else', () => {
  test('a move from category 5 to 7 sinks the lists of 5 and 7, and not that of 6', async () => {
    const { id } = await createProduct(house, { categoryId: 5 })
    const lists = [5, 6, 7].map((category) => `/v1/products?categoryId=${category}&limit=100`)
    for (const list of lists) await warm(list)
    const loads = () => house.read.metric('tidemark_cache_answers_total', { layer: 'origin' })
    const before = await loads()
    const move = await house.write.send('PATCH', `/v1/products/${id}`, { json: { categoryId: 7 } })
    const headers = { Tidemark: tokenOf(move) }
    const answers = await Promise.all(lists.map((list) => get(list, headers)))
    expect(answers.map(layerOf)).toEqual(['origin', 'l1', 'origin'])
    expect(await loads()).toBe(before + 2)
    const ids = answers.map((answer) => answer.json<Page>().data.map((row) => row.id))
    expect(ids.map((list) => list.includes(id))).toEqual([false, false, true])
  })

  test('"there is no such row" is held, and sunk by the insert: by id and by slug', async () => {
    const slug = 'not-there-yet'
    await warm(`/v1/products?slug=${slug}`)
    expect((await get(`/v1/products?slug=${slug}`)).json<Page>().data).toEqual([])
    const [{ next } = { next: 0 }] = await house.sql<{ next: number }>(
      `SELECT nextval(pg_get_serial_sequence('product', 'id'))::int + 1 AS next`,
    )
    const path = `/v1/products/${next}`
    await warm(path)
    expect((await get(path)).status).toBe(404)
    const { id, token } = await createProduct(house, { slug })
    expect(id).toBe(next)
    expect((await get(path, { Tidemark: token })).status).toBe(200)
    const found = await get(`/v1/products?slug=${slug}`, { Tidemark: token })
    expect(found.json<Page>().data.map((row) => row.id)).toEqual([id])
  })

  test('a row deleted and made again under its id never has an ETag that it had before', async () => {
    const { id, slug } = await createProduct(house)
    const path = `/v1/products/${id}`
    const strict = { 'Tidemark-Level': 'strict' }
    const first = await get(path, strict)
    await house.write.send('DELETE', path)
    await house.sql(
      `INSERT INTO product (id, slug, name, description, category_id, brand_id, price_cents)
       VALUES ($1, $2, 'Made in a test', 'By a test.', 1, 1, 100)`,
      [id, slug],
    )
    const second = await get(path, { ...strict, 'If-None-Match': String(first.headers.etag) })
    expect(second.status).toBe(200)
    expect(second.headers.etag).not.toBe(first.headers.etag)
  })

  test('a change by cascade sinks the rows that it reached', async () => {
    const parent = await house.write.send('POST', '/v1/categories', {
      json: { slug: 'root-of-a-test', name: 'Root' },
    })
    const parentId = parent.json<Product>().id
    const child = await house.write.send('POST', '/v1/categories', {
      json: { slug: 'leaf-of-a-test', name: 'Leaf', parentId },
    })
    const path = `/v1/categories/${child.json<Product>().id}`
    await warm(path)
    const gone = await house.write.send('DELETE', `/v1/categories/${parentId}`)
    expect((await get(path, { Tidemark: tokenOf(gone) })).json()).toMatchObject({ parentId: null })
  })
})

describe('a new epoch', () => {
  test('the token of the term before counts as met, the answer says that history was lost', async () => {
    const { id, token } = await createProduct(house)
    const path = `/v1/products/${id}`
    await warm(path)
    await house.sql('SELECT tidemark.new_epoch()')
    const answer = await eventually(async () => {
      const got = await get(path, { Tidemark: token })
      expect(tokenOf(got)).toMatch(/^2-/)
      return got
    })
    expect(answer.status).toBe(200)
    expect(answer.headers['cache-status']).toContain('tidemark-history=lost')
    expect((await get(path, { Tidemark: tokenOf(answer) })).headers['cache-status']).not.toContain('lost')
  })
})
