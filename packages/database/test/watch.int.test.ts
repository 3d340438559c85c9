import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import {
  scratchDatabase,
  seedCatalogue,
  sequence,
  takeOutbox,
  type ScratchDatabase,
  type Session,
} from './scratch-database.js'

const databases: ScratchDatabase[] = []
let session: Session

beforeEach(async () => {
  const database = await scratchDatabase()
  databases.push(database)
  session = await database.session()
  await seedCatalogue(session)
})
afterAll(async () => Promise.all(databases.map(async (each) => each.drop())))

describe('the version of a row', () => {
  it('rises with each update, whatever the writer sets it to', async () => {
    await session.rows(
      'UPDATE product SET stock = 1 WHERE id = 1; UPDATE product SET version = 1 WHERE id = 1',
    )
    expect(
      await session.rows('SELECT version, updated_at > created_at AS later FROM product WHERE id = 1'),
    ).toEqual([{ version: 3, later: true }])
  })

  it('is not asked for where the column is missing or not a number', async () => {
    await session.rows(`CREATE TABLE plain (id int PRIMARY KEY, version text);
      SELECT tidemark.watch('plain', 'plain', 'id'); INSERT INTO plain VALUES (1, 'v1.2')`)
    expect(await takeOutbox(session)).toMatchObject([{ key: '1', version: null }])
  })
})

describe('a table that changes under its triggers', () => {
  it('a facet that changes its type keeps its tags, in a session that has written before', async () => {
    await session.rows('UPDATE product SET stock = 1 WHERE id = 1')
    await session.rows('ALTER TABLE product ALTER COLUMN category_id TYPE bigint')
    await takeOutbox(session)
    await session.rows('UPDATE product SET stock = 2 WHERE id = 1')
    expect((await takeOutbox(session))[0]?.tags).toContain('product.categoryId=1')
  })

  it('a facet whose column was renamed touches everything rather than too little', async () => {
    await session.rows(
      'ALTER TABLE product RENAME COLUMN brand_id TO maker_id; UPDATE product SET stock = 2 WHERE id = 1',
    )
    expect((await takeOutbox(session))[0]?.tags).toContain('product!all')
  })
})

describe('watch and unwatch', () => {
  const captureVersion = async () =>
    (await session.rows<{ v: number }>('SELECT capture_version AS v FROM tidemark.clock'))[0]!.v

  it('watching again replaces the facets and raises the capture version', async () => {
    const before = await captureVersion()
    await session.rows(`SELECT tidemark.watch('brand', 'brand', 'id', '{"name": "name"}')`)
    await session.rows(`UPDATE brand SET country = 'ES' WHERE id = 1`)
    expect((await takeOutbox(session)).map(({ tags }) => tags)).toEqual([
      ['brand', 'brand.name=B1', 'brand:1'],
    ])
    expect(await captureVersion()).toBeGreaterThan(before)
  })

  it('once the log has begun, watching sinks what was cached before the triggers stood', async () => {
    await sequence(session)
    await session.rows(`SELECT tidemark.watch('brand', 'brand', 'id')`)
    expect(await takeOutbox(session)).toMatchObject([
      { resource: 'brand', operation: 'bulk', tags: ['brand!all'] },
    ])
  })

  it('unwatching removes every trigger', async () => {
    await session.rows(`SELECT tidemark.unwatch('product')`)
    await session.rows('UPDATE product SET stock = 5 WHERE id = 1; TRUNCATE product')
    expect(await takeOutbox(session)).toEqual([])
    expect(
      await session.rows(
        `SELECT tgname FROM pg_trigger WHERE tgrelid = 'product'::regclass AND tgname LIKE 'tide%'`,
      ),
    ).toEqual([])
  })

  it.each([
    [`'brand', 'Brand', 'id'`, 'name must be camelCase'],
    [`'brand', 'brand', 'nope'`, 'key nope must be a column'],
    [`'category', 'category', 'parent_id'`, 'NOT NULL'],
    [`'brand', 'brand', 'id', '{"x": "nope"}'`, 'has no column nope'],
    [`'brand', 'brand', 'id', '[]'`, 'facets must be an object'],
    [`'brand', 'brand', 'id', '{}', 0`, 'bulk_limit must be at least 1'],
  ])('watch(%s) is refused: %s', async (given, message) => {
    await expect(session.rows(`SELECT tidemark.watch(${given})`)).rejects.toThrow(message)
  })
})
