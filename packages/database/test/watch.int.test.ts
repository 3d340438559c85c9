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
    expect((await takeOutbox(session)).at(-1)).toMatchObject({
      key: '1',
      tags: expect.arrayContaining(['product!all']),
    })
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

  const folding = `CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`
  it.each([
    ['char(3)', 'character(3)'],
    ['numeric(9, 2)', 'numeric(9,2)'],
    ['timestamptz', 'timestamp with time zone'],
    ['double precision', 'double precision'],
    ['jsonb', 'jsonb'],
    ['text COLLATE folding', 'text with the nondeterministic collation folding'],
  ])('a facet or key of type %s is refused: its text is not its equality', async (type, named) => {
    await session.rows(`${folding}; CREATE TABLE shop (id int PRIMARY KEY, country ${type} NOT NULL)`)
    const message = `column country is of type ${named}: allowed are text and varchar with a deterministic collation, smallint`
    await expect(
      session.rows(`SELECT tidemark.watch('shop', 'shop', 'id', '{"land": "country"}')`),
    ).rejects.toThrow(`facet 'land': ${message}`)
    await expect(session.rows(`SELECT tidemark.watch('shop', 'shop', 'country')`)).rejects.toThrow(
      `key: ${message}`,
    )
  })

  it('facets of every type whose text is its equality are taken, and written as JavaScript writes them', async () => {
    const uuid = '6b1f6b0a-5f3e-4c4e-9d5c-0a1b2c3d4e5f'
    await session.rows(`CREATE TYPE mood AS ENUM ('glad', 'sad');
      CREATE TABLE fit (id uuid PRIMARY KEY, a text, b varchar(9), c smallint, d int, e bigint, f boolean, g mood);
      SELECT tidemark.watch('fit', 'fit', 'id', '{"a":"a","b":"b","c":"c","d":"d","e":"e","f":"f","g":"g"}');
      DELETE FROM tidemark.outbox;
      INSERT INTO fit VALUES ('${uuid}', 'NL ', 'x', -1, 2, 9007199254740993, true, 'sad')`)
    expect((await takeOutbox(session))[0]!.tags).toEqual([
      'fit',
      'fit.a=NL ',
      'fit.b=x',
      'fit.c=-1',
      'fit.d=2',
      'fit.e=9007199254740993',
      'fit.f=true',
      'fit.g=sad',
      `fit:${uuid}`,
    ])
  })
})
