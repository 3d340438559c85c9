import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { DatabaseError, migrate } from '../src/index.js'
import { migrationsFolder } from '../src/migrations.js'
import { scratchDatabase, type ScratchDatabase, type Session } from './scratch-database.js'

const databases: ScratchDatabase[] = []
const folders: string[] = []
let database: ScratchDatabase
let session: Session

beforeEach(async () => {
  database = await scratchDatabase({ migrated: false })
  databases.push(database)
  session = await database.session()
})
afterAll(async () => {
  await Promise.all(databases.map(async (each) => each.drop()))
  await Promise.all(folders.map(async (each) => rm(each, { recursive: true })))
})

/** Our migrations, and what the test adds or puts in their place. */
async function folderWith(more: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-migrations-'))
  folders.push(folder)
  await cp(migrationsFolder, folder, { recursive: true })
  for (const [name, sql] of Object.entries(more)) {
    await mkdir(join(folder, name), { recursive: true })
    await writeFile(join(folder, name, 'migration.sql'), sql)
  }
  return folder
}
const names = async () => (await readdir(migrationsFolder)).filter((name) => !name.endsWith('.toml')).sort()
const ledger = () => session.rows('SELECT * FROM _prisma_migrations ORDER BY migration_name')
const there = async (table: string) =>
  (await session.rows<{ there: boolean }>(`SELECT to_regclass('${table}') IS NOT NULL AS there`))[0]!.there

describe('migrate()', () => {
  it('applies all once and a second time none, with a ledger as Prisma writes it', async () => {
    const all = await names()
    expect(await migrate(database.url)).toEqual({ applied: all, present: 0, unknown: [] })
    expect(await migrate(database.url)).toEqual({ applied: [], present: all.length, unknown: [] })
    const rows = await ledger()
    expect(rows.map((row) => row['migration_name'])).toEqual(all)
    for (const row of rows) {
      const file = await readFile(join(migrationsFolder, String(row['migration_name']), 'migration.sql'))
      expect(row).toMatchObject({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        checksum: createHash('sha256').update(file).digest('hex'),
        finished_at: expect.any(Date),
        logs: null,
        rolled_back_at: null,
        applied_steps_count: 1,
      })
    }
  })

  it('three at once apply each migration once', async () => {
    const results = await Promise.all([migrate(database.url), migrate(database.url), migrate(database.url)])
    expect(results.flatMap(({ applied }) => applied)).toEqual(await names())
    expect(await ledger()).toHaveLength((await names()).length)
  })

  it('waits for another run no longer than told', async () => {
    await session.rows('SELECT pg_advisory_lock(72707369)')
    await expect(migrate(database.url, { lockTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'MIGRATION_LOCKED',
    })
  })

  it('refuses a migration that was changed after it was applied', async () => {
    await migrate(database.url)
    const [first] = await names()
    const folder = await folderWith({ [first!]: 'SELECT 1', '99990101000000_next': 'CREATE TABLE next ()' })
    const refused = migrate(database.url, { folder })
    await expect(refused).rejects.toBeInstanceOf(DatabaseError)
    await expect(refused).rejects.toMatchObject({
      code: 'MIGRATION_CHANGED',
      message: expect.stringContaining(first!),
    })
    expect(await there('next')).toBe(false)
  })

  it('refuses to go on after one that did not finish, unless it was marked as rolled back', async () => {
    await migrate(database.url)
    await session.rows(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '99980101000000_torn')`,
    )
    const folder = await folderWith({ '99990101000000_next': 'CREATE TABLE next ()' })
    await expect(migrate(database.url, { folder })).rejects.toMatchObject({
      code: 'MIGRATION_UNFINISHED',
      message: expect.stringContaining('99980101000000_torn'),
    })
    await session.rows(`UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = 'x'`)
    expect((await migrate(database.url, { folder })).applied).toEqual(['99990101000000_next'])
  })

  it('keeps nothing of a migration that fails, names it and the line, and goes on once it is mended', async () => {
    const name = '99990101000000_half'
    const broken = await folderWith({ [name]: 'CREATE TABLE half ();\n\nSELECT nonsense;' })
    await expect(migrate(database.url, { folder: broken })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(/99990101000000_half failed: line 3: column "nonsense"/),
    })
    expect(await there('half')).toBe(false)
    expect(await ledger()).toHaveLength((await names()).length)
    const mended = await folderWith({ [name]: 'CREATE TABLE half ();' })
    expect((await migrate(database.url, { folder: mended })).applied).toEqual([name])
  })

  it('keeps nothing of a migration whose ledger row cannot be written', async () => {
    await migrate(database.url)
    const folder = await folderWith({
      '99990101000000_unrecorded': `CREATE TABLE half ();
        ALTER TABLE _prisma_migrations ADD CONSTRAINT no_more CHECK (migration_name < '9999')`,
    })
    await expect(migrate(database.url, { folder })).rejects.toMatchObject({ code: 'MIGRATION_FAILED' })
    expect(await there('half')).toBe(false)
  })

  it('only warns of a database that is ahead', async () => {
    await migrate(database.url, { folder: await folderWith({ '99990101000000_newer': 'SELECT 1' }) })
    expect(await migrate(database.url)).toMatchObject({ applied: [], unknown: ['99990101000000_newer'] })
  })

  it('says clearly that the database cannot be reached or the URL is wrong', async () => {
    await expect(migrate('postgres://u:secret@127.0.0.1:1/x')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/^cannot connect to the database: .*ECONNREFUSED/),
    })
    await expect(migrate('mysql://u:secret@127.0.0.1/x')).rejects.toMatchObject({ code: 'BAD_OPTION' })
    await expect(migrate('secret')).rejects.toThrow(/^(?!.*secret)/)
  })
})
