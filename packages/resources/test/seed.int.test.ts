import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { seed } from '../src/seed/index.js'
import { catalogueDatabase } from './catalogue-database.js'
import type { CatalogueDatabase } from './catalogue-database.js'

describe('seed', () => {
  let shop: CatalogueDatabase
  beforeAll(async () => {
    shop = await catalogueDatabase()
  })
  afterAll(() => shop.close())

  const ask = async (text: string): Promise<unknown> => (await shop.database.pool.query(text)).rows[0]
  const counts =
    'SELECT (SELECT count(*)::int FROM product) AS products, (SELECT count(*)::int FROM brand) AS brands'
  const hash = `SELECT md5(string_agg(p::text, '' ORDER BY id)) FROM product p`
  const changes = 'SELECT count(*)::int AS changes FROM tidemark.outbox'

  it('two seeders at once fill the shop once, and a third run changes nothing', async () => {
    const outcomes = await Promise.all([seed(shop.url), seed(shop.url)])
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['present', 'seeded'])
    expect(await ask(counts)).toEqual({ products: 20_000, brands: 200 })
    const before = [await ask(hash), await ask(changes)]
    expect(await seed(shop.url, { seed: 2 })).toEqual({ kind: 'present' })
    expect([await ask(hash), await ask(changes)]).toEqual(before)
  })

  it('tells followers of 20,000 products in few changes, with capture on', async () => {
    const bulk = `SELECT count(*)::int AS rows FROM tidemark.outbox WHERE operation = 'bulk' AND tags = '{product!all}'`
    expect(await ask(bulk)).toEqual({ rows: 10 })
  })

  it('the next row gets an id of its own, and seeded rows begin at version 1', async () => {
    const insert = `INSERT INTO brand (slug, name, country) VALUES ('new', 'New', 'DE') RETURNING id, version`
    expect(await ask(insert)).toEqual({ id: 201, version: 1 })
    expect(await ask('SELECT max(version) AS version FROM product')).toEqual({ version: 1 })
  })

  it('a seed that fails leaves nothing behind', async () => {
    const other = await catalogueDatabase()
    try {
      await other.database.pool.query('ALTER TABLE product ADD CONSTRAINT small CHECK (id < 3000)')
      await expect(seed(other.url)).rejects.toThrow(/small/)
      expect((await other.database.pool.query(counts)).rows).toEqual([{ products: 0, brands: 0 }])
    } finally {
      await other.close()
    }
  })
})
