import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { migrationsFolder, readMigrations } from '../src/migrations.js'
import {
  scratchDatabase,
  seedCatalogue,
  takeLines,
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
  await session.rows(`CREATE TABLE part (id int NOT NULL, v int) PARTITION BY RANGE (id);
    CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10); SELECT tidemark.watch('part', 'part', 'id');
    CREATE TABLE part2 (id int NOT NULL, v int); INSERT INTO part2 VALUES (11, 1); DELETE FROM tidemark.outbox`)
})
afterAll(async () => Promise.all(databases.map(async (each) => each.drop())))

const told = () => takeLines(session)

describe('a definition that changes what rows hold, or which rows there are, is one change of everything', () => {
  it.each([
    ['product', 'ALTER TABLE product ALTER COLUMN price_cents TYPE int USING price_cents * 100'],
    ['product', 'ALTER TABLE product ADD COLUMN colour text DEFAULT $$red$$'],
    ['product', 'ALTER TABLE product DISABLE TRIGGER ALL'],
    ['product', 'SET session_replication_role = replica; ALTER TABLE product DROP COLUMN stock'],
    ['part', 'ALTER TABLE part ATTACH PARTITION part2 FOR VALUES FROM (10) TO (20)'],
    ['part', 'ALTER TABLE part DETACH PARTITION part1'],
    ['part', 'ALTER TABLE part1 ALTER COLUMN v SET DEFAULT 1'],
    ['product', 'DROP TABLE product'],
    ['part', 'DROP TABLE part1'],
    ['product', 'CREATE SCHEMA aside; ALTER TABLE product SET SCHEMA aside; DROP SCHEMA aside CASCADE'],
  ])('%s: %s', async (resource, sql) => {
    await session.rows(sql)
    const lines = await told()
    expect(lines).toContainEqual(
      expect.stringMatching(new RegExp(`^bulk ${resource}!all: (ALTER|DROP) (TABLE|SCHEMA)`)),
    )
    expect(lines.filter((line) => !line.startsWith(`bulk ${resource}!all`))).toEqual([])
  })

  it('ALTER TYPE, which rewrites a table of that type', async () => {
    await session.rows(`CREATE TYPE shape AS (id int, v int); CREATE TABLE typed OF shape (id NOT NULL);
      SELECT tidemark.watch('typed', 'typed', 'id'); DELETE FROM tidemark.outbox;
      ALTER TYPE shape ALTER ATTRIBUTE v TYPE text CASCADE`)
    expect(await told()).toContainEqual('bulk typed!all: ALTER TYPE public.typed')
  })

  it('ALTER TYPE, which gives an enum value of a column another name', async () => {
    await session.rows(`CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TABLE felt (id int PRIMARY KEY, mood mood);
      SELECT tidemark.watch('felt', 'felt', 'id', '{"mood": "mood"}'); DELETE FROM tidemark.outbox;
      ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`)
    expect(await told()).toEqual(['bulk felt!all: ALTER TYPE public.mood'])
  })

  const felt = (type: string) => `CREATE TABLE felt (id int PRIMARY KEY, mood ${type});
    SELECT tidemark.watch('felt', 'felt', 'id'); DELETE FROM tidemark.outbox`
  it.each([
    ['an enum inside an array', felt('mood[]'), `ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`],
    ['an enum under a domain', felt('feeling'), `ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`],
    ['an enum in a row type', felt('size'), `ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`],
    ['an enum in a range', felt('moods'), `ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`],
    ['an attribute of a row type', felt('size'), 'ALTER TYPE size DROP ATTRIBUTE h'],
    ["another table's row as a column", felt('brand'), 'ALTER TABLE brand RENAME COLUMN name TO title'],
    ['a column that goes with its type', felt('mood'), 'DROP TYPE mood CASCADE'],
    [
      'a column that goes with its function',
      `${felt('text')}; ALTER TABLE felt ADD COLUMN half int
      GENERATED ALWAYS AS (half_of(id)) STORED; DELETE FROM tidemark.outbox`,
      'DROP FUNCTION half_of CASCADE',
    ],
    ['a trigger of ours', felt('text'), 'DROP TRIGGER tidemark_update ON felt'],
    [
      'a function of ours, and every trigger with it',
      felt('text'),
      'DROP FUNCTION tidemark.capture() CASCADE',
    ],
  ])('%s', async (_, before, sql) => {
    await session.rows(`CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE DOMAIN feeling AS mood;
      CREATE TYPE size AS (w mood, h int); CREATE TYPE moods AS RANGE (subtype = mood);
      CREATE FUNCTION half_of(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 / 2'; ${before}`)
    await session.rows(sql)
    expect(await told()).toContainEqual(expect.stringMatching(/^bulk felt!all: (ALTER|DROP) /))
  })

  it('rolled back, it tells nothing', async () => {
    await session.rows('BEGIN; ALTER TABLE product ADD COLUMN colour text; ROLLBACK')
    expect(await told()).toEqual([])
  })

  it('of a table that nobody watches: nothing', async () => {
    await session.rows(
      'ALTER TABLE part2 ADD COLUMN w int; DROP TABLE part2; ALTER TABLE idempotency_key ADD x int',
    )
    expect(await told()).toEqual([])
  })

  it('by an owner who has no right on the log, only that of giving a partition its triggers', async () => {
    const role = `owner_${Math.random().toString(36).slice(2)}`
    await session.rows(`CREATE ROLE ${role}; GRANT CREATE ON SCHEMA public TO ${role};
      GRANT EXECUTE ON FUNCTION tidemark.capture(), tidemark.note_move() TO ${role}; ALTER TABLE part OWNER TO ${role};
      ALTER TABLE part2 OWNER TO ${role}; DELETE FROM tidemark.outbox; SET ROLE ${role};
      ALTER TABLE part ATTACH PARTITION part2 FOR VALUES FROM (10) TO (20); INSERT INTO part2 VALUES (12, 2); RESET ROLE`)
    expect(await told()).toEqual(['bulk part!all: ALTER TABLE public.part', 'insert part part:12'])
    await session.rows(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
  })
})

describe('a partition that comes later is captured by its own name too', () => {
  it.each([
    ['attached', 'ALTER TABLE part ATTACH PARTITION part2 FOR VALUES FROM (10) TO (20)'],
    ['created', 'DROP TABLE part2; CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (10) TO (20)'],
    [
      'created with its schema',
      `DROP TABLE part2; CREATE SCHEMA aside CREATE TABLE part2 PARTITION OF public.part FOR VALUES FROM (10) TO (20);
       SET search_path = aside, public`,
    ],
  ])('%s', async (_, sql) => {
    await session.rows(sql)
    await told()
    await session.rows('INSERT INTO part2 VALUES (13, 3); TRUNCATE part2')
    expect(await told()).toEqual(['insert part part:13', 'truncate part!all'])
  })
})

it('an unwatched table is forgotten', async () => {
  await session.rows(
    `SELECT tidemark.unwatch('part'); DELETE FROM tidemark.outbox; ALTER TABLE part ADD COLUMN w int`,
  )
  expect(await told()).toEqual([])
  expect(await session.rows(`SELECT FROM tidemark.watched WHERE resource = 'part'`)).toEqual([])
})

it('the whole of it can be dropped', async () => {
  await session.rows('DROP SCHEMA tidemark CASCADE; DROP TABLE part; ALTER TABLE product ADD COLUMN x int')
})

it('without the right to make event triggers the migrations stand, and warn of what is then not captured', async () => {
  const database = await scratchDatabase({ migrated: false })
  databases.push(database)
  const plain = await database.session()
  const warnings: string[] = []
  plain.client.on('notice', ({ message }) => warnings.push(message ?? ''))
  const role = `plain_${Math.random().toString(36).slice(2)}`
  await plain.rows(`CREATE ROLE ${role}; GRANT ALL ON SCHEMA public TO ${role};
    DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO ${role}', current_database()); END $$; SET ROLE ${role}`)
  for (const { sql } of await readMigrations(migrationsFolder)) await plain.rows(sql)
  expect(warnings).toEqual([expect.stringContaining('not captured: ALTER TABLE that changes rows')])
  await plain.rows(`INSERT INTO brand (slug, name, country) VALUES ('b1', 'B1', 'DE')`)
  expect(await plain.rows('SELECT key FROM tidemark.outbox')).toEqual([{ key: '1' }])
  await plain.rows(`RESET ROLE; DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
})
