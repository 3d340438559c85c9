/** Rows of one table that live in several: partitions, and children by INHERITS. */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@tidemark/testkit'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { migrate } from '../src/index.js'
import { migrationsFolder, readMigrations } from '../src/migrations.js'
import { scratchDatabase, takeLines, type ScratchDatabase, type Session } from './scratch-database.js'

const databases: ScratchDatabase[] = []
let database: ScratchDatabase
let session: Session

const open = async (options?: { migrated: boolean }) => {
  database = await scratchDatabase(options)
  databases.push(database)
  session = await database.session()
}
beforeEach(() => open())
afterAll(async () => Promise.all(databases.map(async (each) => each.drop())))

const told = () => takeLines(session)

describe('a partitioned table', () => {
  beforeEach(async () => {
    await session.rows(`
      CREATE TABLE event (id int NOT NULL, kind int NOT NULL, year int NOT NULL, version int) PARTITION BY LIST (kind);
      CREATE TABLE event_1 PARTITION OF event FOR VALUES IN (1) PARTITION BY RANGE (year);
      CREATE TABLE event_1_old PARTITION OF event_1 FOR VALUES FROM (2000) TO (2020);
      CREATE TABLE event_1_new PARTITION OF event_1 FOR VALUES FROM (2020) TO (2040);
      CREATE TABLE event_rest PARTITION OF event DEFAULT;
      SELECT tidemark.watch('event', 'event', 'id', '{"kind": "kind", "year": "year"}');
      INSERT INTO event VALUES (1, 1, 2010), (2, 1, 2030), (3, 5, 2010); DELETE FROM tidemark.outbox`)
  })

  it('rows that are routed, by INSERT and by COPY, at any depth and whichever table is named', async () => {
    await session.rows(`INSERT INTO event VALUES (10, 1, 2001), (11, 7, 2001); INSERT INTO event_1 VALUES (12, 1, 2021);
      INSERT INTO event_1_new VALUES (13, 1, 2022);
      COPY event (id, kind, year) FROM PROGRAM 'printf "14\\t1\\t2023\\n15\\t8\\t2024\\n"'`)
    expect((await told()).map((line) => line.replace(/event\.(\w+)=/g, '$1='))).toEqual([
      'insert event kind=1 year=2001 event:10',
      'insert event kind=7 year=2001 event:11',
      'insert event kind=1 year=2021 event:12',
      'insert event kind=1 year=2022 event:13',
      'insert event kind=1 year=2023 event:14',
      'insert event kind=8 year=2024 event:15',
    ])
  })

  it('rows that UPDATE moves between partitions, also within one that has partitions of its own', async () => {
    await session.rows(`UPDATE event SET kind = 6, year = 2011 WHERE id = 1; UPDATE event_1 SET year = 2019 WHERE id = 2;
      UPDATE event SET year = 2012`)
    expect((await told()).map((line) => line.replace(/event\.(\w+)=/g, '$1='))).toEqual([
      'update event kind=1 kind=6 year=2010 year=2011 event:1',
      'update event kind=1 year=2019 year=2030 event:2',
      'update event kind=6 year=2011 year=2012 event:1',
      'update event kind=1 year=2012 year=2019 event:2',
      'update event kind=5 year=2010 year=2012 event:3',
    ])
  })

  const merge = (set: string) =>
    `MERGE INTO event e USING (VALUES (3)) s (id) ON e.id = s.id WHEN MATCHED THEN UPDATE SET ${set}`

  it('rows that MERGE moves between partitions, which no trigger is shown: everything', async () => {
    await session.rows(merge('kind = 1'))
    expect(await told()).toEqual(['bulk event!all'])
    await session.rows(merge('version = 8'))
    expect(await told()).toEqual(['update event event.kind=1 event.year=2010 event:3'])
  })

  it('a MERGE that moves one row and changes another, and one beside an UPDATE that moves a row', async () => {
    await session.rows(`MERGE INTO event e USING (VALUES (1, 1), (3, 1)) s (id, kind) ON e.id = s.id
      WHEN MATCHED THEN UPDATE SET kind = s.kind`)
    expect(await told()).toEqual(['bulk event!all', 'update event event.kind=1 event.year=2010 event:1'])
    // The MERGE runs first: the row that the UPDATE moves is the last to arrive.
    await session.rows(`WITH moved AS (UPDATE event SET kind = 7 WHERE id = 1) ${merge('kind = 7')}`)
    expect(await told()).toContain('bulk event!all')
  })

  it('a MERGE that moves a row, and a trigger that updates the same table meanwhile', async () => {
    await session.rows(`
      CREATE FUNCTION also() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF pg_trigger_depth() = 1 THEN UPDATE event SET kind = 8 WHERE id = 1; END IF; RETURN NEW; END $$;
      CREATE TRIGGER a_before BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION also();
      CREATE TRIGGER z_after AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION also(); ${merge('kind = 1')}`)
    expect((await told()).map((line) => line.split(':')[0])).toContain('bulk event!all')
  })

  it('a note of a move ends with its statement', async () => {
    await session.rows(`BEGIN; UPDATE event SET kind = 6 WHERE id = 1; INSERT INTO event VALUES (50, 1, 2010);
      ${merge('version = 9')}; COMMIT`)
    expect((await told()).map((line) => line.split(' ')[0])).toEqual(['update', 'insert', 'update'])
  })

  it('a MERGE that moves a row within a partition that came later, and has partitions by another column', async () => {
    await session.rows(`CREATE TABLE event_4 PARTITION OF event FOR VALUES IN (4) PARTITION BY RANGE ((version + 1));
      CREATE TABLE event_4_a PARTITION OF event_4 FOR VALUES FROM (0) TO (10);
      CREATE TABLE event_4_b PARTITION OF event_4 FOR VALUES FROM (10) TO (90);
      INSERT INTO event VALUES (40, 4, 2010, 8); DELETE FROM tidemark.outbox;
      MERGE INTO event e USING (VALUES (40)) s (id) ON e.id = s.id WHEN MATCHED THEN UPDATE SET version = 0`)
    expect(await told()).toEqual(['bulk event!all'])
  })

  it('more rows that move than the bulk limit: everything, and no rows beside it', async () => {
    await session.rows(`SELECT tidemark.watch('event', 'event', 'id', '{}', 3); DELETE FROM event;
      INSERT INTO event SELECT n, 5, 2010 FROM generate_series(1, 20) n; DELETE FROM tidemark.outbox;
      MERGE INTO event e USING generate_series(1, 20) s (id) ON e.id = s.id WHEN MATCHED THEN UPDATE SET kind = 1`)
    expect(await told()).toEqual(['bulk event!all'])
    await session.rows('UPDATE event SET kind = 5')
    expect(new Set(await told())).toEqual(new Set(['bulk event!all']))
  })

  it('a row that moves in replica mode: out of one partition, into another', async () => {
    await session.rows('SET session_replication_role = replica; UPDATE event SET kind = 6 WHERE id = 1')
    const tags = new Set((await told()).flatMap((line) => line.split(' ').slice(1)))
    expect([...tags].sort()).toEqual(['event', 'event.kind=1', 'event.kind=6', 'event.year=2010', 'event:1'])
  })

  it('TRUNCATE of the whole and of one partition: everything of the resource', async () => {
    await session.rows('TRUNCATE event_1_old')
    expect(await told()).toEqual(['truncate event!all'])
    await session.rows('TRUNCATE event')
    expect(new Set(await told())).toEqual(new Set(['truncate event!all']))
  })

  it('ATTACH brings rows and DETACH takes them: one change of everything each', async () => {
    await session.rows(`CREATE TABLE event_2 (LIKE event); INSERT INTO event_2 VALUES (20, 2, 2010);
      ALTER TABLE event ATTACH PARTITION event_2 FOR VALUES IN (2)`)
    expect(await told()).toEqual(['bulk event!all: ALTER TABLE public.event'])
    await session.rows('ALTER TABLE event_1 DETACH PARTITION event_1_old')
    expect(await told()).toEqual(['bulk event!all: ALTER TABLE public.event_1'])
  })

  it('DETACH CONCURRENTLY is told as soon as the rows are gone for others, while it still waits', async () => {
    await session.rows('ALTER TABLE event DETACH PARTITION event_rest; DELETE FROM tidemark.outbox')
    await session.rows(
      'CREATE TABLE event_3 PARTITION OF event FOR VALUES IN (3); INSERT INTO event VALUES (30, 3, 2010)',
    )
    await told()
    const looker = await database.session()
    await looker.rows('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM event')
    const detacher = await database.session()
    const detached = detacher.rows('ALTER TABLE event DETACH PARTITION event_3 CONCURRENTLY')
    await eventually(async () => expect(await session.rows('SELECT id FROM event WHERE id = 30')).toEqual([]))
    expect(await told()).toEqual(['bulk event!all: DETACH PARTITION CONCURRENTLY begins'])
    await looker.rows('COMMIT')
    await detached
    expect(await told()).toEqual(['bulk event!all: ALTER TABLE public.event'])
  })

  it('a foreign table cannot become a part of a watched table, for its rows change elsewhere', async () => {
    await session.rows('CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw')
    await expect(
      session.rows(`CREATE FOREIGN TABLE event_9 PARTITION OF event FOR VALUES IN (9)
        SERVER files OPTIONS (filename '/dev/null')`),
    ).rejects.toThrow('public.event_9 is a foreign table')
  })
})

describe('a table that others inherit from', () => {
  it('children by INHERITS, made before and after, whichever of them a statement names', async () => {
    await session.rows(`
      CREATE TABLE shape (id int PRIMARY KEY, sides int, version int); CREATE TABLE square (edge int) INHERITS (shape);
      SELECT tidemark.watch('shape', 'shape', 'id', '{"sides": "sides"}'); CREATE TABLE cube () INHERITS (square);
      DELETE FROM tidemark.outbox; INSERT INTO square VALUES (1, 4); INSERT INTO cube VALUES (2, 4);
      UPDATE shape SET sides = 6 WHERE id = 2; DELETE FROM square`)
    expect(await told()).toEqual([
      'insert shape shape.sides=4 shape:1',
      'insert shape shape.sides=4 shape:2',
      'update shape shape.sides=4 shape.sides=6 shape:2',
      'delete shape shape.sides=4 shape:1',
      'delete shape shape.sides=6 shape:2',
    ])
    await session.rows(`SET session_replication_role = replica; INSERT INTO cube VALUES (3, 4); UPDATE square SET sides = 5;
      RESET session_replication_role; TRUNCATE cube`)
    expect(await told()).toEqual([
      'insert shape shape.sides=4 shape:3',
      'update shape shape.sides=4 shape.sides=5 shape:3',
      'truncate shape!all',
    ])
    await session.rows(`SELECT tidemark.unwatch('shape'); INSERT INTO cube VALUES (4, 4); TRUNCATE square`)
    expect(await told()).toEqual([])
  })

  it('a table that becomes a child, or is one no more, is one change of everything', async () => {
    await session.rows(`CREATE TABLE shape (id int PRIMARY KEY, sides int); SELECT tidemark.watch('shape', 'shape', 'id');
      CREATE TABLE square (id int NOT NULL, sides int); INSERT INTO square VALUES (1, 4); DELETE FROM tidemark.outbox;
      ALTER TABLE square INHERIT shape; UPDATE square SET sides = 5; ALTER TABLE square NO INHERIT shape`)
    const altered = 'bulk shape!all: ALTER TABLE public.square'
    expect(await told()).toEqual([altered, 'update shape shape:1', altered])
  })

  it('a table that was watched before this release has its children watched by the migration', async () => {
    await open({ migrated: false })
    const older = await mkdtemp(join(tmpdir(), 'tidemark-older-'))
    try {
      const before = (await readMigrations(migrationsFolder)).filter(({ name }) => name < '20261124')
      for (const { name } of before)
        await cp(join(migrationsFolder, name), join(older, name), { recursive: true })
      await migrate(database.url, { folder: older })
      const role = `adder_${Math.random().toString(36).slice(2)}`
      await session.rows(`CREATE ROLE ${role}; GRANT EXECUTE ON FUNCTION tidemark.capture() TO ${role};
        CREATE TABLE shape (id int PRIMARY KEY); CREATE TABLE square () INHERITS (shape);
        SELECT tidemark.watch('shape', 'shape', 'id', '{}', 7)`)
      await migrate(database.url)
      await session.rows('DELETE FROM tidemark.outbox; INSERT INTO square SELECT generate_series(1, 8)')
      expect(await told()).toEqual(['bulk shape!all'])
      // Who could add partitions still can.
      expect(
        await session.rows(`SELECT has_function_privilege($1, 'tidemark.note_move()', 'EXECUTE') AS may`, [
          role,
        ]),
      ).toEqual([{ may: true }])
      await session.rows(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    } finally {
      await rm(older, { recursive: true })
    }
  })
})
