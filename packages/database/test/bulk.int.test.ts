/** Statements of many rows: what the outbox holds afterwards, in rows and in bytes. */
import { afterAll, beforeEach, expect, it } from 'vitest'
import { scratchDatabase, takeLines, type ScratchDatabase, type Session } from './scratch-database.js'

const many = 100_000
const databases: ScratchDatabase[] = []
let session: Session

beforeEach(async () => {
  const database = await scratchDatabase()
  databases.push(database)
  session = await database.session()
  await session.rows(`
    CREATE TABLE item (id int PRIMARY KEY, kind int NOT NULL, note text, version int);
    SELECT tidemark.watch('item', 'item', 'id', '{"kind": "kind"}')`)
})
afterAll(async () => Promise.all(databases.map(async (each) => each.drop())))

const fill = `INSERT INTO item SELECT n, n % 7, 'x' FROM generate_series(1, ${many}) n`
const outbox = async () =>
  (
    await session.rows<{ rows: number; bytes: number }>(
      `SELECT count(*)::int AS rows, pg_total_relation_size('tidemark.outbox')::int AS bytes FROM tidemark.outbox`,
    )
  )[0]!

it('100,000 rows in one statement are one row in the outbox, for each kind of statement', async () => {
  const bulk = ['bulk item!all']
  await session.rows(fill)
  expect(await takeLines(session)).toEqual(bulk)
  await session.rows('UPDATE item SET kind = kind + 1')
  expect(await takeLines(session)).toEqual(bulk)
  await session.rows(`MERGE INTO item i USING generate_series(1, ${many}) s (id) ON i.id = s.id
    WHEN MATCHED AND s.id % 2 = 0 THEN UPDATE SET kind = 9 WHEN MATCHED THEN DELETE`)
  expect(await takeLines(session)).toEqual([...bulk, ...bulk])
  await session.rows(`INSERT INTO item SELECT n, 1, 'x' FROM generate_series(1, ${many}) n
    ON CONFLICT (id) DO UPDATE SET kind = excluded.kind`)
  expect(await takeLines(session)).toEqual([...bulk, ...bulk])
  await session.rows('DELETE FROM item')
  expect(await takeLines(session)).toEqual(bulk)
  await session.rows(`COPY item (id, kind) FROM PROGRAM 'seq 1 ${many} | sed "s/$/\\t1/"'`)
  expect(await takeLines(session)).toEqual(bulk)
})

it('a cascade of 100,000 rows is one row in the outbox beside its cause', async () => {
  await session.rows(`${fill}; CREATE TABLE part (id int PRIMARY KEY, item_id int REFERENCES item ON DELETE CASCADE);
    CREATE INDEX ON part (item_id); SELECT tidemark.watch('part', 'part', 'id');
    INSERT INTO part SELECT n, 1 FROM generate_series(1, ${many}) n; DELETE FROM tidemark.outbox`)
  await session.rows('DELETE FROM item WHERE id = 1')
  expect((await takeLines(session)).sort()).toEqual(['bulk part!all', 'delete item item.kind=1 item:1'])
})

it('several statements over the limit are a row each, also in one transaction', async () => {
  await session.rows(
    `BEGIN; ${fill}; UPDATE item SET kind = 1; UPDATE item SET kind = 2 WHERE id <= 1001; COMMIT`,
  )
  expect(await takeLines(session)).toEqual(['bulk item!all', 'bulk item!all', 'bulk item!all'])
})

it('100,000 rows in statements at the limit are 100,000 rows of the outbox, of bounded size', async () => {
  await session.rows(`${fill}; TRUNCATE tidemark.outbox;
    DO $$ BEGIN FOR n IN 0..99 LOOP
      UPDATE item SET kind = kind + 1 WHERE id BETWEEN n * 1000 + 1 AND n * 1000 + 1000; END LOOP; END $$`)
  const { rows, bytes } = await outbox()
  expect(rows).toBe(many)
  expect(bytes / rows).toBeLessThan(300)
})

it('20,000 single-row statements are 20,000 rows of the outbox, of bounded size, however wide the table', async () => {
  await session.rows(
    `${fill}; UPDATE item SET note = repeat('wide', 200) WHERE id <= 1000; TRUNCATE tidemark.outbox`,
  )
  await session.rows(`DO $$ BEGIN FOR n IN 1..20000 LOOP
    UPDATE item SET kind = kind + 1 WHERE id = n; END LOOP; END $$`)
  const { rows, bytes } = await outbox()
  expect(rows).toBe(20_000)
  expect(bytes / rows).toBeLessThan(300)
})
