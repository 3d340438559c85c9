import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import {
  scratchDatabase,
  seedCatalogue,
  takeOutbox,
  type ScratchDatabase,
  type Session,
} from './scratch-database.js'

const databases: ScratchDatabase[] = []
let database: ScratchDatabase
let session: Session

beforeEach(async () => {
  database = await scratchDatabase()
  databases.push(database)
  session = await database.session()
  await seedCatalogue(session)
})
afterAll(async () => Promise.all(databases.map(async (each) => each.drop())))

const insertSql = (slugs: string) =>
  `INSERT INTO product (slug, name, description, category_id, brand_id, price_cents)
   SELECT s, s, 'D', 2, 2, 5 FROM unnest('{${slugs}}'::text[]) s`
const product = (key: number, slug: string, ...facets: string[]) => [
  'product',
  ...facets,
  `product.slug=${slug}`,
  `product:${key}`,
]
const inC1 = ['product.brandId=1', 'product.categoryId=1']

describe('a change writes one outbox row for each key', () => {
  it('INSERT of several rows: one each, with entity, list and facet tags and version 1', async () => {
    await session.rows(insertSql('x,y'))
    const facets = ['product.brandId=2', 'product.categoryId=2']
    expect(await takeOutbox(session)).toEqual([
      {
        resource: 'product',
        key: '4',
        operation: 'insert',
        tags: product(4, 'x', ...facets),
        version: 1,
        trace: null,
      },
      {
        resource: 'product',
        key: '5',
        operation: 'insert',
        tags: product(5, 'y', ...facets),
        version: 1,
        trace: null,
      },
    ])
  })

  it('UPDATE that moves a facet: the tags of OLD and of NEW, and the new version', async () => {
    await session.rows('UPDATE product SET category_id = 2 WHERE id = 1')
    expect(await takeOutbox(session)).toMatchObject([
      { key: '1', operation: 'update', tags: product(1, 'p1', ...inC1, 'product.categoryId=2'), version: 2 },
    ])
  })

  it('UPDATE of a primary key: the old key is gone, the new key is there, both are told', async () => {
    await session.rows('UPDATE product SET id = 77 WHERE id = 1')
    expect(await takeOutbox(session)).toMatchObject([
      { key: '1', operation: 'delete', tags: product(1, 'p1', ...inC1) },
      { key: '77', operation: 'insert', tags: product(77, 'p1', ...inC1), version: 2 },
    ])
  })

  it('DELETE: the tags of OLD and its last version', async () => {
    await session.rows('DELETE FROM product WHERE id = 2')
    expect(await takeOutbox(session)).toMatchObject([
      { key: '2', operation: 'delete', tags: product(2, 'p2', ...inC1), version: 1 },
    ])
  })

  it('a NULL facet makes no tag', async () => {
    await session.rows('UPDATE category SET parent_id = 1 WHERE id = 2')
    await session.rows('UPDATE category SET parent_id = NULL WHERE id = 2')
    expect((await takeOutbox(session)).map(({ tags }) => tags)).toEqual([
      ['category', 'category.parentId=1', 'category.slug=c2', 'category:2'],
      ['category', 'category.parentId=1', 'category.slug=c2', 'category:2'],
    ])
  })

  it('a statement that touches no row emits nothing', async () => {
    await session.rows('UPDATE product SET stock = 1 WHERE false; DELETE FROM product WHERE false')
    await session.rows(`INSERT INTO product SELECT * FROM product WHERE false`)
    expect(await takeOutbox(session)).toEqual([])
  })

  it.each([
    ['int', '7'],
    ['jsonb', `'{"id": 999, "country": "XX", "version": 8}'`],
  ])('%s columns named like what capture calls its own are columns, not the row', async (type, value) => {
    const names =
      'o n r s t f a b row rows old new old_rows new_rows is_new tag tags key name value facets key_column bulk_limit touched befores afters'
    const columns = names.split(' ').map((name) => `"${name}"`)
    await session.rows(`
      CREATE TABLE odd (id int PRIMARY KEY, country text, ${columns.map((c) => `${c} ${type}`).join()});
      SELECT tidemark.watch('odd', 'odd', 'id', '{"country": "country"}');
      INSERT INTO odd VALUES (1, 'NL', ${columns.map(() => value).join()}); UPDATE odd SET country = 'BE';
      SET session_replication_role = replica; UPDATE odd SET country = 'FR'; RESET session_replication_role; DELETE FROM odd`)
    expect((await takeOutbox(session)).map(({ tags }) => tags)).toEqual([
      ['odd', 'odd.country=NL', 'odd:1'],
      ['odd', 'odd.country=BE', 'odd.country=NL', 'odd:1'],
      ['odd', 'odd.country=BE', 'odd.country=FR', 'odd:1'],
      ['odd', 'odd.country=FR', 'odd:1'],
    ])
  })

  it('the trace context set by the writer travels with the change', async () => {
    await session.rows(`SET tidemark.trace = '00-abc-01'; UPDATE product SET stock = 1 WHERE id = 1`)
    expect(await takeOutbox(session)).toMatchObject([{ trace: '00-abc-01' }])
  })
})

describe('every way to write is captured', () => {
  it('ON CONFLICT DO UPDATE: the inserted and the updated row', async () => {
    await session.rows(`${insertSql('p1,fresh')} ON CONFLICT (slug) DO UPDATE SET category_id = 2`)
    const captured = await takeOutbox(session)
    expect(captured).toHaveLength(2)
    expect(captured).toContainEqual(
      expect.objectContaining({
        key: '1',
        operation: 'update',
        tags: product(1, 'p1', ...inC1, 'product.categoryId=2'),
        version: 2,
      }),
    )
    expect(captured).toContainEqual(expect.objectContaining({ operation: 'insert', version: 1 }))
  })

  it('MERGE: each of its actions', async () => {
    await session.rows(`
      MERGE INTO product p USING (VALUES ('p1', 1), ('p2', 2), ('new', 3)) s (slug, what) ON p.slug = s.slug
      WHEN MATCHED AND s.what = 1 THEN UPDATE SET brand_id = 2
      WHEN MATCHED THEN DELETE
      WHEN NOT MATCHED THEN INSERT (slug, name, description, category_id, brand_id, price_cents) VALUES (s.slug, 'n', 'd', 2, 2, 1)`)
    const captured = await takeOutbox(session)
    expect(captured.map(({ key, operation }) => `${operation} ${key}`).sort()).toEqual([
      'delete 2',
      'insert 4',
      'update 1',
    ])
    expect(captured.find(({ key }) => key === '1')?.tags).toContain('product.brandId=2')
  })

  it('COPY: its rows, which keep the versions they bring', async () => {
    await session.rows(`
      COPY product (slug, name, description, category_id, brand_id, price_cents, version)
        FROM PROGRAM 'printf "k1\\tn\\td\\t2\\t2\\t1\\t9\\nk2\\tn\\td\\t2\\t2\\t1\\t1\\n"'`)
    expect(await takeOutbox(session)).toMatchObject([
      { operation: 'insert', version: 9, tags: expect.arrayContaining(['product.categoryId=2']) },
      { operation: 'insert', version: 1 },
    ])
  })

  it('a foreign key that cascades or sets NULL: the rows of the other table too, with raised versions', async () => {
    await session.rows(`
      CREATE TABLE shelf (id int PRIMARY KEY);
      CREATE TABLE item (id int PRIMARY KEY, shelf_id int REFERENCES shelf ON DELETE CASCADE ON UPDATE CASCADE);
      CREATE TABLE note (id int PRIMARY KEY, shelf_id int REFERENCES shelf ON DELETE SET NULL, version int NOT NULL DEFAULT 1);
      SELECT tidemark.watch('shelf', 'shelf', 'id');
      SELECT tidemark.watch('item', 'item', 'id', '{"shelfId": "shelf_id"}');
      SELECT tidemark.watch('note', 'note', 'id', '{"shelfId": "shelf_id"}');
      INSERT INTO shelf VALUES (1), (2), (3); INSERT INTO item VALUES (10, 1), (11, 2), (12, 3); INSERT INTO note VALUES (20, 1), (21, 2);
      DELETE FROM tidemark.outbox; DELETE FROM shelf WHERE id < 3`)
    const captured = (await takeOutbox(session)).map(
      ({ operation, tags, version }) => `${operation} ${tags.join(' ')} ${version}`,
    )
    expect(captured.sort()).toEqual([
      'delete item item.shelfId=1 item:10 null',
      'delete item item.shelfId=2 item:11 null',
      'delete shelf shelf:1 null',
      'delete shelf shelf:2 null',
      'update note note.shelfId=1 note:20 2',
      'update note note.shelfId=2 note:21 2',
    ])
    await session.rows('UPDATE shelf SET id = 4 WHERE id = 3')
    expect((await takeOutbox(session)).find(({ key }) => key === '12')?.tags).toEqual([
      'item',
      'item.shelfId=3',
      'item.shelfId=4',
      'item:12',
    ])
  })

  it('TRUNCATE, and what it cascades to: everything of each resource', async () => {
    await session.rows('TRUNCATE product')
    expect(await takeOutbox(session)).toMatchObject([
      { resource: 'product', key: null, operation: 'truncate', tags: ['product!all'] },
    ])
    await session.rows('TRUNCATE category CASCADE')
    expect((await takeOutbox(session)).map(({ tags }) => tags.join()).sort()).toEqual([
      'category!all',
      'product!all',
    ])
  })

  it('a statement over the bulk limit, and not one at it, is one change of everything', async () => {
    const insert = (n: number) =>
      session.rows(
        `INSERT INTO brand (slug, name, country) SELECT gen_random_uuid(), 'n', 'DE' FROM generate_series(1, ${n})`,
      )
    await insert(1000)
    expect(await takeOutbox(session)).toHaveLength(1000)
    await insert(1001)
    const one = [
      { resource: 'brand', key: null, operation: 'bulk', tags: ['brand!all'], version: null, trace: null },
    ]
    expect(await takeOutbox(session)).toEqual(one)
    await session.rows('UPDATE brand SET name = name')
    expect(await takeOutbox(session)).toEqual(one)
    await session.rows('DELETE FROM brand WHERE id > 2')
    expect(await takeOutbox(session)).toEqual(one)
  })

  it('a writer under session_replication_role = replica, in which ordinary triggers sleep', async () => {
    await session.rows(
      `SET session_replication_role = replica; UPDATE product SET stock = 3 WHERE id = 1; TRUNCATE product`,
    )
    expect(await takeOutbox(session)).toMatchObject([
      { operation: 'update', version: 2 },
      { operation: 'truncate' },
    ])
  })

  it('a writer without rights on the log, whose search_path leads elsewhere', async () => {
    const role = `writer_${Math.random().toString(36).slice(2)}`
    await session.rows(`
      CREATE ROLE ${role}; GRANT SELECT, UPDATE ON product TO ${role}; CREATE SCHEMA trap;
      GRANT USAGE ON SCHEMA trap TO ${role};
      CREATE FUNCTION trap.to_jsonb(anyelement) RETURNS jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb $$;
      SET ROLE ${role}; SET search_path = trap, pg_catalog`)
    await session.rows('UPDATE public.product SET stock = 9 WHERE id = 1')
    await expect(session.rows('SELECT * FROM tidemark.outbox')).rejects.toThrow('permission denied')
    await expect(session.rows('SELECT * FROM tidemark.sequence()')).rejects.toThrow('permission denied')
    await session.rows('RESET ROLE; RESET search_path')
    expect(await takeOutbox(session)).toMatchObject([
      { key: '1', tags: product(1, 'p1', ...inC1), version: 2 },
    ])
    await session.rows(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })

  it('a partitioned table, whether the statement names it or a partition, also when a row moves', async () => {
    await session.rows(`
      CREATE TABLE event (id int NOT NULL, kind int NOT NULL, version int, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
      CREATE TABLE event_1 PARTITION OF event FOR VALUES IN (1); CREATE TABLE event_2 PARTITION OF event FOR VALUES IN (2);
      SELECT tidemark.watch('event', 'event', 'id', '{"kind": "kind"}');
      INSERT INTO event VALUES (1, 1); INSERT INTO event_1 VALUES (2, 1); UPDATE event SET kind = 2 WHERE id = 1`)
    const captured = (await takeOutbox(session)).map(
      ({ operation, tags }) => `${operation} ${tags.join(' ')}`,
    )
    expect(captured).toEqual([
      'insert event event.kind=1 event:1',
      'insert event event.kind=1 event:2',
      'update event event.kind=1 event.kind=2 event:1',
    ])
  })
})

describe('an outbox row commits if and only if its change does', () => {
  it('a transaction rolled back emits nothing', async () => {
    await session.rows('BEGIN; UPDATE product SET stock = 1; ROLLBACK')
    expect(await takeOutbox(session)).toEqual([])
  })

  it('a savepoint rolled back emits nothing, what stands around it does', async () => {
    await session.rows(`BEGIN; UPDATE product SET stock = 1 WHERE id = 1; SAVEPOINT s; UPDATE product SET stock = 1 WHERE id = 2;
      ROLLBACK TO s; UPDATE product SET stock = 1 WHERE id = 3; COMMIT`)
    expect((await takeOutbox(session)).map(({ key }) => key)).toEqual(['1', '3'])
  })

  it('a statement that fails after some of its rows emits nothing', async () => {
    await expect(session.rows('UPDATE product SET stock = 2 - id')).rejects.toThrow('product_stock_check')
    expect(await takeOutbox(session)).toEqual([])
  })
})
