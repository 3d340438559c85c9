/** An outbox row commits if and only if its change does, and gets its position no sooner. */
import { ownPostgres, type OwnServer } from '@tidemark/testkit'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { migrate } from '../src/index.js'
import {
  scratchDatabase,
  seedCatalogue,
  sequence,
  takeLines,
  type ScratchDatabase,
  type Session,
} from './scratch-database.js'

const databases: ScratchDatabase[] = []
let database: ScratchDatabase
let session: Session

const p = (key: number) =>
  `update product product.brandId=1 product.categoryId=1 product.slug=p${key} product:${key}`
const touch = (key: number) => `UPDATE product SET stock = stock + 1 WHERE id = ${key}`

describe('what is rolled back is not told', () => {
  beforeEach(async () => {
    database = await scratchDatabase()
    databases.push(database)
    session = await database.session()
    await seedCatalogue(session)
  })
  afterAll(async () => Promise.all(databases.map(async (each) => each.drop())))

  it('savepoints: those rolled back, also around those that were released', async () => {
    await session.rows(`BEGIN; SAVEPOINT a; ${touch(1)}; SAVEPOINT b; ${touch(2)}; RELEASE b; ROLLBACK TO a;
      SAVEPOINT c; ${touch(3)}; RELEASE c; COMMIT`)
    expect(await takeLines(session)).toEqual([p(3)])
  })

  it('a block in a function that fails and is caught', async () => {
    await session.rows(`DO $$ BEGIN
      UPDATE product SET stock = 1 WHERE id = 1;
      BEGIN UPDATE product SET stock = 1 WHERE id = 2; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END;
    END $$`)
    expect(await takeLines(session)).toEqual([p(1)])
  })

  it('TRUNCATE, DDL and a bulk statement', async () => {
    await session.rows(`BEGIN; TRUNCATE product; ALTER TABLE product ADD COLUMN colour text DEFAULT 'red';
      INSERT INTO brand (slug, name, country) SELECT n, n, 'DE' FROM generate_series(1, 2000) n; ROLLBACK`)
    expect(await takeLines(session)).toEqual([])
  })

  it('a session that breaks off in the middle', async () => {
    const broken = await database.session()
    await broken.rows(`BEGIN; ${touch(1)}`)
    const [{ pid }] = (await broken.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid')) as [
      { pid: number },
    ]
    await session.rows('SELECT pg_terminate_backend($1, 10000)', [pid])
    await session.rows(touch(2))
    expect(await takeLines(session)).toEqual([p(2)])
  })

  it('a long idle transaction: it holds nobody up, and what it wrote gets a position after its commit', async () => {
    const idle = await database.session()
    await idle.rows(`BEGIN; ${touch(1)}`)
    await session.rows(touch(2))
    const before = await sequence(session)
    const told = before.entries.flatMap(({ changes }) => changes.map(({ key }) => key))
    expect(told).toContain('2')
    expect(told).not.toContain('1')
    await session.rows(touch(3))
    expect((await sequence(session)).position).toBe(before.position + 1)
    await idle.rows('COMMIT')
    const after = await sequence(session)
    expect(after.position).toBe(before.position + 2)
    expect(after.entries.flatMap(({ changes }) => changes.map(({ key }) => key))).toEqual(['1'])
  })
})

describe('two-phase commit', () => {
  let postgres: OwnServer
  let client: Client
  beforeAll(async () => {
    postgres = await ownPostgres({ max_prepared_transactions: '10' })
    await migrate(postgres.url)
    client = new Client({ connectionString: postgres.url })
    client.on('error', () => undefined)
    await client.connect()
    session = {
      client,
      rows: async (sql, values) => {
        const result = await client.query(sql, values)
        return (Array.isArray(result) ? result.at(-1) : result).rows
      },
    }
    await seedCatalogue(session)
    await sequence(session)
  })
  afterAll(async () => {
    await client.end().catch(() => undefined)
    await postgres.remove()
  })
  const prepare = (name: string, key: number) =>
    session.rows(`BEGIN; ${touch(key)}; ${touch(key)}; PREPARE TRANSACTION '${name}'`)

  it('nothing is told while a transaction is prepared, and all of it from COMMIT PREPARED on', async () => {
    await prepare('kept', 1)
    const before = await sequence(session)
    expect(before.entries).toEqual([])
    await session.rows(`COMMIT PREPARED 'kept'`)
    const after = await sequence(session)
    expect(after.position).toBe(before.position + 1)
    expect(after.entries[0]!.changes.map(({ key, version }) => `${key} ${version}`)).toEqual(['1 2', '1 3'])
  })

  it('ROLLBACK PREPARED tells nothing', async () => {
    await prepare('dropped', 2)
    await session.rows(`ROLLBACK PREPARED 'dropped'`)
    expect((await sequence(session)).entries).toEqual([])
  })

  it('prepared before a crash and committed after it: told, in the new epoch', async () => {
    await prepare('survivor', 3)
    const before = await sequence(session)
    await client.end()
    await postgres.kill()
    await postgres.start()
    client = new Client({ connectionString: postgres.url })
    client.on('error', () => undefined)
    await client.connect()
    expect(await sequence(session)).toMatchObject({ term: before.term + 1 })
    await session.rows(`COMMIT PREPARED 'survivor'`)
    expect((await sequence(session)).entries[0]!.changes.map(({ key }) => key)).toEqual(['3', '3'])
  })
})
