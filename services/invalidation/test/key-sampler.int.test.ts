import { createDatabase, migrate } from '@tidemark/database'
import type { Database } from '@tidemark/database'
import { addressOf, catalogue, products } from '@tidemark/resources'
import { seed } from '@tidemark/resources/seed'
import { emptyDatabase } from '@tidemark/testkit'
import type { EmptyDatabase } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { anyRowId } from '../src/auditor/any-row.js'
import { keyOf } from '../src/auditor/key-sampler.js'
import { readTruth } from '../src/auditor/truth-reader.js'

let scratch: EmptyDatabase
let database: Database
beforeAll(async () => {
  scratch = await emptyDatabase()
  await migrate(scratch.url)
  await seed(scratch.url, { products: 40 })
  database = createDatabase({ url: scratch.url, name: 'auditor-test' })
})
afterAll(async () => {
  await database.close()
  await scratch.drop()
})

test.each([
  ['product:42', '/v1/products/42'],
  ['product', '/v1/products'],
  ['product.categoryId=7', '/v1/products?categoryId=7'],
  ['product.slug=a b&c', '/v1/products?slug=a%20b%26c'],
  ['product:x', undefined],
  ['product.nothing=7', undefined],
  ['product.categoryId=x', undefined],
  ['product!all', undefined],
  ['*', undefined],
  ['!read-1:/v1/products/1', undefined],
  ['elsewhere:1', undefined],
])('what changed under %j is looked at as %j', (tag, key) => {
  const made = keyOf(catalogue, tag)
  expect(made).toBe(key)
  expect(made === undefined || addressOf(catalogue, made) !== undefined).toBe(true)
})

describe('the truth', () => {
  const read = (url: string) => readTruth(database, addressOf(catalogue, url)!)

  test('of a row has its version, and that of a list none', async () => {
    const { rows } = await database.pool.query<{ id: number }>('SELECT min(id) AS id FROM brand')
    const one = await read(`/v1/brands/${rows[0]!.id}`)
    expect(one.state).toMatchObject({ isPresent: true, version: 1 })
    await database.pool.query(`UPDATE brand SET name = name || '!' WHERE id = $1`, [rows[0]!.id])
    const next = await read(`/v1/brands/${rows[0]!.id}`)
    expect(next.state.version).toBe(2)
    expect(next.state.digest).not.toBe(one.state.digest)
    expect((await read('/v1/brands')).state).toMatchObject({ isPresent: true, version: undefined })
  })

  test('of what is not there is that it is not there', async () => {
    expect((await read('/v1/brands/999999')).state).toEqual({
      isPresent: false,
      digest: '',
      version: undefined,
    })
  })

  test('of a row that embeds others depends on them too, and changes with them', async () => {
    const { rows } = await database.pool.query<{ id: number; brand: number }>(
      'SELECT id, brand_id AS brand FROM product ORDER BY id LIMIT 1',
    )
    const { id, brand } = rows[0]!
    const url = `/v1/products/${id}?include=brand`
    const before = await read(url)
    expect(before.tags).toEqual([`product:${id}`, 'product!all', `brand:${brand}`, 'brand!all'])
    await database.pool.query(`UPDATE brand SET name = name || '.' WHERE id = $1`, [brand])
    const after = await read(url)
    expect(after.state.digest).not.toBe(before.state.digest)
    expect(after.state.version).toBe(before.state.version)
    const list = await read('/v1/products?include=brand')
    expect(list.tags).toContain(`brand:${brand}`)
  })

  test('is that of the position beside it', async () => {
    await database.pool.query('SELECT * FROM tidemark.sequence()')
    const before = await read('/v1/brands')
    await database.pool.query(`UPDATE brand SET name = name || '?'`)
    await database.pool.query('SELECT * FROM tidemark.sequence()')
    const after = await read('/v1/brands')
    expect(after.at).toEqual({ term: before.at.term, position: before.at.position + 1 })
  })
})

test('any row is drawn, the first and the last too, and none where there is none', async () => {
  await database.pool.query('DELETE FROM product WHERE id > 3')
  const drawn = new Set<string | undefined>()
  for (let n = 0; n < 100; n++) drawn.add(await anyRowId(database, products))
  expect([...drawn].sort()).toEqual(['1', '2', '3'])
  await database.pool.query('DELETE FROM product')
  expect(await anyRowId(database, products)).toBeUndefined()
})
