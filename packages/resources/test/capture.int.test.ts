import { columnOf, tableOf } from '@tidemark/database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { catalogue, prismaReader } from '../src/index.js'
import type { Scalar } from '../src/index.js'
import { seed } from '../src/seed/index.js'
import { catalogueDatabase } from './catalogue-database.js'
import type { CatalogueDatabase } from './catalogue-database.js'

describe('the triggers of a table touch the tags that values of its resource carry', () => {
  let shop: CatalogueDatabase
  beforeAll(async () => {
    shop = await catalogueDatabase()
    await seed(shop.url, { products: 10 })
  })
  afterAll(() => shop.close())

  it.each(catalogue.all.map((resource) => [resource.name, resource] as const))('%s', async (_, resource) => {
    const table = tableOf(resource.model)
    const id = 3
    await shop.database.pool.query('DELETE FROM tidemark.outbox')
    await shop.database.pool.query(`UPDATE ${table} SET ${columnOf('name')} = 'renamed' WHERE id = $1`, [id])
    const { rows } = await shop.database.pool.query<{ tags: string[] }>('SELECT tags FROM tidemark.outbox')
    expect(rows).toHaveLength(1)

    const row = (await prismaReader(resource, () => shop.database.prisma).findMany([id])).get(id)!
    const lists = resource.captured
      .filter((field) => row[field] !== null)
      .map((field) => resource.tags.list({ filters: { [field]: row[field] as Scalar } })[0])
    const carried = [resource.tags.entity(id)[0], resource.tags.list({ filters: {} })[0], ...lists]
    expect(rows[0]!.tags.toSorted()).toEqual(carried.toSorted())
  })
})
