import { eventually, ownPostgres } from '@tidemark/testkit'
import { Client } from 'pg'
import { afterAll, expect, it } from 'vitest'
import { migrate } from '../src/index.js'
import {
  scratchDatabase,
  seedCatalogue,
  takeOutbox,
  type ScratchDatabase,
  type Session,
} from './scratch-database.js'

const databases: ScratchDatabase[] = []
const catalogue = async (): Promise<Session> => {
  const database = await scratchDatabase()
  databases.push(database)
  const session = await database.session()
  await seedCatalogue(session)
  return session
}
afterAll(async () => Promise.all(databases.map(async (each) => each.drop())))

it('a session in replica mode is captured row by row, once each, also over the bulk limit', async () => {
  const session = await catalogue()
  await session.rows(`SET session_replication_role = replica;
    INSERT INTO brand (slug, name, country) SELECT n, n, 'ES' FROM generate_series(1, 1001) n`)
  const inserted = await takeOutbox(session)
  expect(inserted).toHaveLength(1001)
  expect(inserted[0]).toMatchObject({
    key: '3',
    operation: 'insert',
    tags: ['brand', 'brand.country=ES', 'brand.slug=1', 'brand:3'],
  })
  await session.rows(`UPDATE brand SET country = 'PT' WHERE id = 3; DELETE FROM brand WHERE id = 4`)
  expect(await takeOutbox(session)).toMatchObject([
    { key: '3', operation: 'update', tags: expect.arrayContaining(['brand.country=ES', 'brand.country=PT']) },
    { key: '4', operation: 'delete', version: 1 },
  ])
})

it('replica mode in a partitioned table: rows of old and new partitions', async () => {
  const session = await catalogue()
  await session.rows(`CREATE TABLE part (id int NOT NULL) PARTITION BY RANGE (id);
    CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10); SELECT tidemark.watch('part', 'part', 'id');
    CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (10) TO (20); DELETE FROM tidemark.outbox;
    SET session_replication_role = replica; INSERT INTO part VALUES (1); INSERT INTO part2 VALUES (11)`)
  expect((await takeOutbox(session)).map(({ tags }) => tags)).toEqual([
    ['part', 'part:1'],
    ['part', 'part:11'],
  ])
})

it('an ordinary session does not pay for row triggers', async () => {
  const session = await catalogue()
  const plan = await session.rows<{ 'QUERY PLAN': string }>(
    'EXPLAIN (ANALYZE, COSTS OFF) UPDATE product SET stock = 1',
  )
  const fired = plan.map((line) => line['QUERY PLAN']).filter((line) => line.startsWith('Trigger tidemark'))
  expect(fired.map((line) => line.replace(/time=\S+ /, ''))).toEqual([
    'Trigger tidemark_stamp: calls=3',
    'Trigger tidemark_update: calls=1',
  ])
})

interface Replication {
  readonly source: Client
  readonly target: Client
  /** Has the table of the target follow that of the source. */
  subscribe(table: string, copy: boolean): Promise<void>
  /** The outbox of the target. */
  captured(): Promise<string[]>
}

/** Two migrated databases of a server of their own. */
async function withReplication(use: (replication: Replication) => Promise<void>): Promise<void> {
  const postgres = await ownPostgres({ wal_level: 'logical' })
  const open = async (name: string) => {
    const url = new URL(postgres.url)
    url.pathname = `/${name}`
    const client = new Client({ connectionString: url.href })
    await client.connect()
    return { url, client }
  }
  const home = await open(new URL(postgres.url).pathname.slice(1))
  await home.client.query('CREATE DATABASE source')
  await home.client.query('CREATE DATABASE target')
  const [source, target] = [await open('source'), await open('target')]
  try {
    for (const { url, client } of [source, target]) {
      await migrate(url.href)
      // TRUNCATE refuses a table that another refers to.
      await client.query('ALTER TABLE product DROP CONSTRAINT product_brand_id_fkey')
    }
    await use({
      source: source.client,
      target: target.client,
      async subscribe(table, copy) {
        await source.client.query(`CREATE PUBLICATION p FOR TABLE ${table}`)
        await source.client.query(`SELECT pg_create_logical_replication_slot('s', 'pgoutput')`)
        const { hostname, port, username, password } = source.url
        await target.client.query(`CREATE SUBSCRIPTION sub
          CONNECTION 'host=${hostname} port=${port} dbname=source user=${username} password=${password}'
          PUBLICATION p WITH (create_slot = false, slot_name = 's', copy_data = ${copy})`)
      },
      async captured() {
        const { rows } = await target.client.query<{ line: string }>(
          `SELECT operation || ' ' || array_to_string(tags, ' ') AS line FROM tidemark.outbox ORDER BY id`,
        )
        return rows.map(({ line }) => line)
      },
    })
    await target.client.query('ALTER SUBSCRIPTION sub DISABLE')
    await target.client.query('ALTER SUBSCRIPTION sub SET (slot_name = NONE)')
    await target.client.query('DROP SUBSCRIPTION sub')
  } finally {
    for (const { client } of [home, source, target]) await client.end()
    await postgres.remove()
  }
}

it('what logical replication applies to a subscriber is captured there', async () => {
  await withReplication(async ({ source, target, subscribe, captured }) => {
    for (const each of [source, target])
      await each.query(`INSERT INTO brand (slug, name, country) VALUES ('b1', 'B1', 'DE')`)
    await subscribe('brand', false)
    await target.query('DELETE FROM tidemark.outbox')
    await source.query(`UPDATE brand SET country = 'FR'`)
    await source.query(`INSERT INTO brand (slug, name, country) VALUES ('b2', 'B2', 'ES')`)
    await source.query(`DELETE FROM brand WHERE slug = 'b1'`)
    await source.query('TRUNCATE brand')
    await eventually(async () => expect(await captured()).toHaveLength(4), { timeoutMs: 20_000 })
    expect(await captured()).toEqual([
      'update brand brand.country=DE brand.country=FR brand.slug=b1 brand:1',
      'insert brand brand.country=ES brand.slug=b2 brand:2',
      'delete brand brand.country=FR brand.slug=b1 brand:1',
      'truncate brand!all',
    ])
  })
}, 60_000)

it('the first copy of a table that a subscription makes is captured', async () => {
  await withReplication(async ({ source, target, subscribe, captured }) => {
    await source.query(`INSERT INTO category (slug, name) VALUES ('c1', 'n'), ('c2', 'n')`)
    await target.query('DELETE FROM tidemark.outbox')
    await subscribe('category', true)
    await eventually(async () => expect(await captured()).toHaveLength(2), { timeoutMs: 20_000 })
    expect((await captured()).sort()).toEqual([
      'insert category category.slug=c1 category:1',
      'insert category category.slug=c2 category:2',
    ])
  })
}, 60_000)
