/** Answers with `include`: what they show, what sinks them, and what does not, over real processes and stores. */
import { createDatabase } from '@tidemark/database'
import { shownTagsMax } from '@tidemark/resources'
import { eventually } from '@tidemark/testkit'
import type { House, Received } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { layerOf } from './fixture/cache-status.js'
import { createProduct, tokenOf } from './fixture/products.js'
import type { Page, Product } from './fixture/products.js'
import { startShop } from './fixture/shop.js'

interface Named {
  readonly id: number
  readonly name: string
}
type Shown = Product & {
  readonly brandId: number
  readonly category?: Named | null
  readonly brand?: Named | null
}

let house: House
beforeAll(async () => {
  house = await startShop()
})
afterAll(() => house.stop())

const get = (path: string, headers?: Record<string, string>): Promise<Received> =>
  house.read.get(path, headers)

/** Reads until the plain answer comes from memory. */
async function warm(...paths: readonly string[]): Promise<void> {
  for (const path of paths)
    await eventually(async () => {
      expect(layerOf(await get(path))).toBe('l1')
    })
}

/** Where each answer comes from for whoever sends this token, one by one, and how often the origin was read. */
async function readAll(
  paths: readonly string[],
  token: string,
): Promise<{ layers: unknown[]; loads: number }> {
  const loads = () => house.read.metric('tidemark_cache_answers_total', { layer: 'origin' })
  const before = await loads()
  const layers: unknown[] = []
  for (const path of paths) layers.push(layerOf(await get(path, { Tidemark: token })))
  return { layers, loads: (await loads()) - before }
}

async function rename(path: string, name: string): Promise<string> {
  const answer = await house.write.send('PATCH', path, { json: { name } })
  expect(answer.status).toBe(200)
  return tokenOf(answer)
}

async function makeCategory(name: string, parentId: number | null = null): Promise<number> {
  const slug = name.toLowerCase().replaceAll(' ', '-')
  const answer = await house.write.send('POST', '/v1/categories', { json: { slug, name, parentId } })
  expect(answer.status).toBe(201)
  return answer.json<Named>().id
}

describe('what an answer shows', () => {
  test('the whole related row under the relation`s name, in one row, in a list and in a batch', async () => {
    const { id, token } = await createProduct(house, { categoryId: 4, brandId: 3 })
    const headers = { Tidemark: token }
    const category: unknown = (await get('/v1/categories/4')).json()
    const brand: unknown = (await get('/v1/brands/3')).json()
    const plain = (await get(`/v1/products/${id}`, headers)).json<Product>()
    const one = await get(`/v1/products/${id}?include=category,brand`, headers)
    expect(one.json()).toEqual({ ...plain, brand, category })
    const list = await get(`/v1/products?categoryId=4&sort=-createdAt&limit=1&include=category`, headers)
    expect(list.json<Page>().data).toEqual([{ ...plain, category }])
    const json = { ids: [id, 2_147_483_647], include: ['brand', 'category'] }
    const batch = await house.read.send('POST', '/v1/products:batchGet', { json, headers })
    expect(batch.json()).toEqual({ data: [{ ...plain, brand, category }], missing: [2_147_483_647] })
  })

  test('null where the field is null; the page goes on with or without includes', async () => {
    const root = await makeCategory('Root of includes')
    const leaf = await makeCategory('Leaf of includes', root)
    const strict = { 'Tidemark-Level': 'strict' }
    expect((await get(`/v1/categories/${root}?include=parent`, strict)).json()).toMatchObject({
      parent: null,
    })
    expect((await get(`/v1/categories/${leaf}?include=parent`, strict)).json()).toMatchObject({
      parent: { id: root, parentId: null },
    })
    const first = (await get('/v1/categories?include=parent&limit=2')).json<Page<Named>>()
    const second = (await get(`/v1/categories?limit=2&cursor=${first.nextCursor}`)).json<Page<Named>>()
    const both = (await get('/v1/categories?limit=4')).json<Page<Named>>()
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(both.data.map(({ id }) => id))
  })

  test('the ETag covers the embedded rows, and a row that is not there is not there with includes', async () => {
    const { id } = await createProduct(house, { categoryId: 3 })
    const path = `/v1/products/${id}?include=category`
    const first = await get(path, { 'Tidemark-Level': 'strict' })
    const etag = String(first.headers.etag)
    expect((await get(path, { 'If-None-Match': etag })).status).toBe(304)
    const token = await rename('/v1/categories/3', 'Renamed for its ETag')
    const second = await get(path, { 'If-None-Match': etag, Tidemark: token })
    expect(second.status).toBe(200)
    expect(second.headers.etag).not.toBe(etag)
    expect((await get('/v1/products/2147483647?include=category')).status).toBe(404)
  })

  test('one set of includes is one answer, however it is spelled', async () => {
    await warm('/v1/products/9?include=brand,category')
    for (const include of ['category,brand', 'brand%2Ccategory'])
      expect(layerOf(await get(`/v1/products/9?include=${include}`))).toBe('l1')
  })
})

describe('what sinks it', () => {
  test('a move from category 5 to 7 sinks the lists of 5 and 7 with their categories, and not that of 6', async () => {
    const { id } = await createProduct(house, { categoryId: 5 })
    const lists = [5, 6, 7].map(
      (category) => `/v1/products?categoryId=${category}&include=category&limit=100`,
    )
    await warm(...lists)
    const move = await house.write.send('PATCH', `/v1/products/${id}`, { json: { categoryId: 7 } })
    const { layers, loads } = await readAll(lists, tokenOf(move))
    expect(layers).toEqual(['origin', 'l1', 'origin'])
    expect(loads).toBe(2)
    const sevens = (await get(lists[2]!)).json<Page<Shown>>().data
    expect(sevens.find((row) => row.id === id)?.category?.id).toBe(7)
  })

  test('renaming category 5 sinks what shows it, and nothing that only names it', async () => {
    const { id } = await createProduct(house, { categoryId: 5 })
    const { id: other } = await createProduct(house, { categoryId: 6 })
    const showing = [`/v1/products/${id}?include=category`, '/v1/products?categoryId=5&include=category']
    const naming = [
      `/v1/products/${id}`,
      `/v1/products/${id}?include=brand`,
      '/v1/products?categoryId=5',
      `/v1/products/${other}?include=category`,
      '/v1/products?categoryId=6&include=category',
    ]
    await warm(...showing, ...naming)
    const token = await rename('/v1/categories/5', 'Renamed once')
    const { layers, loads } = await readAll([...showing, ...naming], token)
    expect(layers).toEqual([...showing.map(() => 'origin'), ...naming.map(() => 'l1')])
    expect(loads).toBe(showing.length)
    for (const path of showing) expect((await get(path)).text).toContain('Renamed once')
  })

  test('in a batch each row sinks by its own related rows', async () => {
    const { id: five } = await createProduct(house, { categoryId: 5 })
    const { id: six } = await createProduct(house, { categoryId: 6 })
    const ids = [five, six]
    const read = async (headers = {}): Promise<Shown[]> => {
      const json = { ids, include: ['category'] }
      const sent = { json, headers }
      const answer = await house.read.send('POST', '/v1/products:batchGet', sent)
      return answer.json<{ data: Shown[] }>().data
    }
    const keys = ids.map((id) => `/v1/products/${id}?include=category`)
    await read()
    await warm(...keys)
    const token = await rename('/v1/categories/6', 'Renamed for a batch')
    expect((await read({ Tidemark: token })).map(({ category }) => category?.name)).toContain(
      'Renamed for a batch',
    )
    expect((await readAll(keys, token)).loads).toBe(0)
    const again = await rename('/v1/categories/5', 'Renamed for a batch too')
    expect((await readAll(keys, again)).layers).toEqual(['origin', 'l1'])
  })

  test('a related row that goes, and one that comes where none was', async () => {
    // Only without the constraint can a product name a category that is not there.
    await house.sql('ALTER TABLE product DROP CONSTRAINT product_category_id_fkey')
    const category = await makeCategory('Here today')
    const { id } = await createProduct(house, { categoryId: category })
    const paths = [
      `/v1/products/${id}?include=category`,
      `/v1/products?categoryId=${category}&include=category`,
    ]
    await warm(...paths)
    const gone = await house.write.send('DELETE', `/v1/categories/${category}`)
    expect((await readAll(paths, tokenOf(gone))).layers).toEqual(['origin', 'origin'])
    expect((await get(paths[0]!)).json<Shown>().category).toBeNull()
    expect((await get(paths[1]!)).json<Page<Shown>>().data[0]?.category).toBeNull()

    await warm(...paths)
    await house.sql(`INSERT INTO category (id, slug, name) VALUES ($1, 'back-again', 'Back again')`, [
      category,
    ])
    const { token } = await createProduct(house)
    expect((await readAll(paths, token)).layers).toEqual(['origin', 'origin'])
    expect((await get(paths[0]!)).json<Shown>().category?.name).toBe('Back again')
    expect((await get(paths[1]!)).json<Page<Shown>>().data[0]?.category?.name).toBe('Back again')
  })

  test('a page of more related rows than are named one by one sinks by any of them', async () => {
    const parents = await house.sql<{ id: number }>(
      `INSERT INTO category (slug, name) SELECT 'many-' || n, 'One of many' FROM generate_series(1, 70) n RETURNING id`,
    )
    await house.sql(
      `INSERT INTO category (slug, name, parent_id) SELECT 'child-of-' || id, 'Child', id FROM category
       WHERE slug LIKE 'many-%'`,
    )
    const path = '/v1/categories?include=parent&limit=70&sort=-id'
    await warm(path)
    const shown = (await get(path)).json<Page<{ parent: Named | null }>>().data
    expect(new Set(shown.map(({ parent }) => parent?.id)).size).toBeGreaterThan(shownTagsMax)
    const token = await rename(`/v1/categories/${parents[3]!.id}`, 'Renamed of many')
    expect((await readAll([path], token)).layers).toEqual(['origin'])
    expect((await get(path)).text).toContain('Renamed of many')
  })
})

describe('a change that comes between the queries of one load', () => {
  test('is in no answer that is kept: the value that lacks it is not served again', async () => {
    const { id, brandId } = (await createProduct(house, { categoryId: 8, brandId: 8 })) as unknown as Shown
    const path = `/v1/products/${id}?include=brand,category`
    const database = createDatabase({ url: house.env['DATABASE_URL']!, name: 'includes-test' })
    const client = await database.pool.connect()
    try {
      // The load reads the product and its category, and waits for the brand.
      await client.query('BEGIN; LOCK TABLE brand IN ACCESS EXCLUSIVE MODE')
      const slow = get(path)
      await eventually(async () => {
        const waiting = await house.sql(
          `SELECT 1 FROM pg_locks WHERE relation = 'brand'::regclass AND NOT granted`,
        )
        expect(waiting).toHaveLength(1)
      })
      const token = await rename('/v1/categories/8', 'Renamed between two queries')
      // The reader has applied it before the load ends.
      await get('/v1/categories/8', { Tidemark: token })
      await client.query('COMMIT')
      const torn = await slow
      expect(torn.status).toBe(200)
      expect(torn.json<Shown>().brand?.id).toBe(brandId)
      expect(torn.json<Shown>().category?.name).not.toBe('Renamed between two queries')

      const next = await get(path)
      expect(layerOf(next)).toBe('origin')
      expect(next.json<Shown>().category?.name).toBe('Renamed between two queries')
    } finally {
      client.release(true)
      await database.close()
    }
  })
})

describe('unique look-ups', () => {
  test('a look-up that found nothing is sunk by the insert, with its includes, and no other look-up is', async () => {
    const [asked, other] = ['slug-of-tomorrow', 'slug-of-nobody']
    const paths = [asked, other].flatMap((slug) => [
      `/v1/products?slug=${slug}`,
      `/v1/products?include=brand&slug=${slug}`,
    ])
    await warm(...paths)
    const { id, token } = await createProduct(house, { slug: asked })
    expect((await readAll(paths, token)).layers).toEqual(['origin', 'origin', 'l1', 'l1'])
    const found = (await get(paths[1]!)).json<Page<Shown>>().data
    expect(found).toMatchObject([{ id, brand: { id: 1 } }])
    const renamed = await house.write.send('PATCH', `/v1/products/${id}`, { json: { slug: 'slug-of-today' } })
    expect((await readAll(paths, tokenOf(renamed))).layers).toEqual(['origin', 'origin', 'l1', 'l1'])
    expect((await get(paths[0]!)).json<Page>().data).toEqual([])
  })
})
