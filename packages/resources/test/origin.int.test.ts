import { classifyFailure } from '@tidemark/database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import {
  batchLimit,
  brands,
  catalogue,
  categories,
  prismaReader,
  prismaWriter,
  products,
  represent,
  ResourceError,
} from '../src/index.js'
import type { Id, Row } from '../src/index.js'
import { seed } from '../src/seed/index.js'
import { catalogueDatabase } from './catalogue-database.js'
import type { CatalogueDatabase } from './catalogue-database.js'

let shop: CatalogueDatabase
beforeAll(async () => {
  shop = await catalogueDatabase()
  await seed(shop.url, { products: 500 })
})
afterAll(() => shop.close())

const client = (): object => shop.database.prisma

/** Follows the cursors as a client does: through the URL. `between` runs after each page. */
async function walk(search: string, between?: () => Promise<unknown>): Promise<Row[]> {
  const reader = prismaReader(products, client)
  const rows: Row[] = []
  let cursor = ''
  for (let pages = 0; pages < 1000; pages++) {
    const page = await reader.list(products.parseListQuery(`?${search}${cursor}`))
    rows.push(...page.rows)
    if (page.nextCursor === null) return rows
    cursor = `&cursor=${page.nextCursor}`
    await between?.()
  }
  throw new Error('the walk does not end')
}

const idsOf = (rows: readonly Row[]): Id[] => rows.map((row) => products.idOf(row))

describe('list', () => {
  const sorts = products.sort.flatMap((field) => [field, `-${field}`])

  it.each(sorts)('sort=%s: the pages hold every row once, in the order of Postgres', async (sort) => {
    const field = sort.replace('-', '')
    const column = { createdAt: 'created_at', priceCents: 'price_cents' }[field] ?? field
    const direction = sort.startsWith('-') ? 'DESC' : 'ASC'
    const expected = await shop.database.pool.query<{ id: number }>(
      `SELECT id FROM product ORDER BY ${column} ${direction}, id ${direction}`,
    )
    expect(idsOf(await walk(`sort=${sort}&limit=37`))).toEqual(expected.rows.map(({ id }) => id))
  })

  it('ties of the sort value are broken by the key, also where a page ends in them', async () => {
    const ids = idsOf(await walk('sort=priceCents&limit=1&brandId=1'))
    expect(new Set(ids).size).toBe(ids.length)
    await shop.database.pool.query('UPDATE product SET price_cents = 100 WHERE category_id = 2')
    const tied = idsOf(await walk('sort=-priceCents&limit=3&categoryId=2'))
    expect(tied).toEqual([...tied].sort((a, b) => Number(b) - Number(a)))
    expect(tied.length).toBeGreaterThan(3)
  })

  it('all filters must hold', async () => {
    const [some] = await walk('limit=1')
    const rows = await walk(`categoryId=${String(some!['categoryId'])}&brandId=${String(some!['brandId'])}`)
    expect(idsOf(rows)).toContain(products.idOf(some!))
    for (const row of rows)
      expect(row).toMatchObject({ categoryId: some!['categoryId'], brandId: some!['brandId'] })
    expect(idsOf(await walk(`slug=${String(some!['slug'])}`))).toEqual([products.idOf(some!)])
    expect(await walk('slug=no-such-product')).toEqual([])
  })

  it('rows inserted and deleted during a walk shift nothing: rows that stay are met exactly once', async () => {
    const before = idsOf(await walk('sort=name&limit=100'))
    let turn = 0
    const walked = idsOf(
      await walk('sort=name&limit=10', async () => {
        turn += 1
        const values = `'walk-${turn}', $1, '', 1, 1, 1`
        const insert = `INSERT INTO product (slug, name, description, category_id, brand_id, price_cents) VALUES (${values})`
        await shop.database.pool.query(insert, [turn % 2 === 0 ? '0 first of all' : 'zz last of all'])
        await shop.database.pool.query(`DELETE FROM product WHERE slug = 'walk-${turn - 1}'`)
      }),
    )
    const stayed = new Set(before)
    expect(walked.filter((id) => stayed.has(id))).toEqual(before)
    await shop.database.pool.query(`DELETE FROM product WHERE slug LIKE 'walk-%'`)
  })
})

describe('rows', () => {
  it('the schema of each resource is the model of its table', async () => {
    for (const resource of catalogue.all) {
      const page = await prismaReader(resource, client).list(resource.parseListQuery('?limit=5'))
      expect(page.rows).toHaveLength(5)
      for (const row of page.rows) resource.schema.strict().parse(row)
    }
  })

  it('a batch gives the rows that exist, by id', async () => {
    const rows = await prismaReader(products, client).findMany([3, 999_999, 1])
    expect([...rows.keys()].sort()).toEqual([1, 3])
    expect(rows.get(3)).toMatchObject({ id: 3 })
    expect(await prismaReader(products, client).findMany([])).toEqual(new Map())
  })

  it('a batch above its limit is refused', async () => {
    const ids = Array.from({ length: batchLimit + 1 }, (_, index) => index + 1)
    await expect(prismaReader(products, client).findMany(ids)).rejects.toThrow(ResourceError)
  })

  it('a resource without a model is named', async () => {
    const wrong = { ...products, tagName: 'nothing' }
    await expect(prismaReader(wrong, client).findMany([1])).rejects.toMatchObject({ code: 'resource.model' })
  })
})

describe('writing', () => {
  const writer = prismaWriter(brands)
  const create = (slug: string): Promise<Row> =>
    writer.create(client(), brands.schemas.create.parse({ slug, name: slug, country: 'DE' }))
  const read = async (id: Id): Promise<Row | undefined> =>
    (await prismaReader(brands, client).findMany([id])).get(id)

  it('gives the row as a reader will see it, byte for byte', async () => {
    const body = { slug: 'seen', name: 'Seen', description: 'x', categoryId: 1, brandId: 1, priceCents: 5 }
    const data = products.schemas.create.parse({ ...body, attributes: { zz: 1, a: 'ü', 'b b': true } })
    const created = await prismaWriter(products).create(client(), data)
    const stored = (await prismaReader(products, client).findMany([products.idOf(created)]))
      .values()
      .next().value
    expect(represent(products, created)).toEqual(represent(products, stored!))
    const updated = await prismaWriter(products).update(client(), products.idOf(created), { stock: 3 })
    const after = (await prismaReader(products, client).findMany([products.idOf(created)]))
      .values()
      .next().value
    expect(updated).toEqual({ kind: 'updated', row: after })
    expect(after).toMatchObject({ stock: 3, version: 2 })
  })

  it('of two writers that read the same version, one gets a conflict and the row as it is', async () => {
    const row = await create('contended')
    const id = brands.idOf(row)
    const outcomes = await Promise.all(
      ['one', 'other'].map((name) => writer.update(client(), id, { name }, row['version'] as number)),
    )
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['conflict', 'updated'])
    const conflict = outcomes.find((outcome) => outcome.kind === 'conflict')
    expect(conflict).toEqual({ kind: 'conflict', row: await read(id) })
  })

  it('a delete with an old version does nothing; without one it deletes', async () => {
    const row = await create('doomed')
    const id = brands.idOf(row)
    await writer.update(client(), id, { name: 'changed' })
    expect(await writer.delete(client(), id, 1)).toMatchObject({ kind: 'conflict', row: { version: 2 } })
    expect(await writer.delete(client(), id)).toEqual({ kind: 'deleted' })
    expect(await writer.delete(client(), id)).toEqual({ kind: 'missing' })
    expect(await writer.update(client(), id, { name: 'x' })).toEqual({ kind: 'missing' })
  })

  it('belongs to its transaction', async () => {
    const attempt = shop.database.prisma.$transaction(async (tx) => {
      await writer.create(tx, { slug: 'undone', name: 'Undone', country: 'DE' })
      throw new Error('undo')
    })
    await expect(attempt).rejects.toThrow('undo')
    expect((await prismaReader(brands, client).list(brands.parseListQuery('?slug=undone'))).rows).toEqual([])
  })

  it('what the database refuses can be told by field', async () => {
    await create('taken')
    expect(await create('taken').catch(classifyFailure)).toEqual({ kind: 'unique', fields: ['slug'] })
  })

  it('null clears a nullable reference', async () => {
    const [child] = (await prismaReader(categories, client).list(categories.parseListQuery('?parentId=1')))
      .rows
    const outcome = await prismaWriter(categories).update(client(), categories.idOf(child!), {
      parentId: null,
    })
    expect(outcome).toMatchObject({ kind: 'updated', row: { parentId: null } })
  })
})
