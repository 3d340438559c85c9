import { createPool, migrate } from '@tidemark/database'
import { emptyDatabase } from '@tidemark/testkit'
import type { EmptyDatabase } from '@tidemark/testkit'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'

import { captureOf } from '../src/capture/capture-of.js'
import { watchStatement } from '../src/capture/statement.js'
import { brands, catalogue, checkCapture, defineResource, products, requireCapture } from '../src/index.js'
import { runMain } from './run-main.js'

const databases: { database: EmptyDatabase; client: ReturnType<typeof createPool> }[] = []
let url: string
/** Of one connection: what is set in it stays. */
let client: ReturnType<typeof createPool>

beforeEach(async () => {
  const database = await emptyDatabase()
  url = database.url
  client = createPool({ url, name: 'resources-test', maxConnections: 1 })
  databases.push({ database, client })
  await migrate(url)
})
afterAll(async () => {
  for (const each of databases) {
    await each.client.end()
    await each.database.drop()
  }
})

const query = (text: string, values?: unknown[]) => client.query(text, values)
const check = async (resources = catalogue.all) => checkCapture(query, resources)
const messages = async (resources = catalogue.all) => (await check(resources)).map(({ message }) => message)
const mend = watchStatement(captureOf(products)).slice(0, -1)

it('finds nothing wrong in a database with all migrations', async () => {
  expect(await check()).toEqual([])
})

describe('names the resource, the table, what is missing and what mends it', () => {
  it.each([
    ['DROP TRIGGER tidemark_delete ON product', 'trigger tidemark_delete is missing'],
    [
      'ALTER TABLE product DISABLE TRIGGER tidemark_update',
      'trigger tidemark_update is set to DISABLE, and must be ENABLE',
    ],
    [
      'ALTER TABLE product ENABLE TRIGGER tidemark_row',
      'trigger tidemark_row is set to ENABLE, and must be ENABLE REPLICA',
    ],
    [
      'ALTER TABLE product ENABLE TRIGGER tidemark_truncate',
      'tidemark_truncate is set to ENABLE, and must be ENABLE ALWAYS',
    ],
    ['DROP TRIGGER tidemark_stamp ON product', 'trigger tidemark_stamp is missing'],
    [
      'ALTER TABLE product DROP COLUMN updated_at',
      'tidemark_stamp is made for other columns than the table has',
    ],
    [`DELETE FROM tidemark.watched WHERE resource = 'product'`, 'tidemark.watched does not have it'],
    [`SELECT tidemark.unwatch('product')`, 'it has no triggers that capture its changes'],
    [
      `SELECT tidemark.watch('product', 'product', 'id', '{"brandId": "brand_id", "slug": "slug"}')`,
      'field categoryId (column category_id) is not captured',
    ],
    [
      `SELECT tidemark.watch('product', 'item', 'id', '{"brandId": "brand_id", "categoryId": "category_id", "slug": "slug"}')`,
      'it is captured as "item", not as "product"',
    ],
    [
      `SELECT tidemark.watch('product', 'product', 'slug', '{"brandId": "brand_id", "categoryId": "category_id", "slug": "slug"}')`,
      'its key is captured from column slug, not from id',
    ],
    [
      `SELECT tidemark.watch('product', 'product', 'id', '{"brandId": "category_id", "categoryId": "category_id", "slug": "slug"}')`,
      'field brandId is captured from column category_id, not from brand_id',
    ],
    [
      'ALTER TABLE product RENAME TO product_old; CREATE TABLE product (LIKE product_old INCLUDING ALL)',
      'it has no triggers that capture its changes',
    ],
  ])('%s', async (sql, problem) => {
    await client.query(sql)
    const found = await check()
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ severity: 'error', resource: 'products' })
    expect(found[0]!.message).toMatch(/^resource products, table product: /)
    expect(found[0]!.message).toContain(problem)
    expect(found[0]!.message).toContain(mend)
    await client.query(mend)
    expect(await check()).toEqual([])
  })

  it('every fault of every resource at once', async () => {
    await client.query(`ALTER TABLE brand DISABLE TRIGGER ALL; SELECT tidemark.unwatch('category')`)
    const found = await check()
    expect(new Set(found.map(({ resource }) => resource))).toEqual(new Set(['brands', 'categories']))
    expect(found.length).toBeGreaterThan(5)
  })

  it('a table that is not there', async () => {
    await client.query('DROP TABLE product')
    expect(await messages()).toEqual([
      expect.stringMatching(
        /^resource products, table product: it does not exist; add a migration that creates it/,
      ),
    ])
  })

  it('a database without the log', async () => {
    await client.query('DROP SCHEMA tidemark CASCADE')
    expect(await messages()).toEqual([
      expect.stringMatching(/^the change log is not there; apply the migrations/),
    ])
  })
})

describe('a partitioned table', () => {
  const events = defineResource({
    name: 'events',
    model: 'Event',
    schema: z.object({ id: z.int32(), kind: z.int32(), version: z.int32() }),
    facets: ['kind'],
    unique: [],
    cache: { ttl: '10m', grace: '1h', level: 'bounded', maxLag: '2s' },
    access: { read: [], write: [] },
  })
  beforeEach(async () => {
    await client.query(`
      CREATE TABLE event (id int NOT NULL, kind int NOT NULL, version int) PARTITION BY LIST (kind);
      CREATE TABLE event_1 PARTITION OF event FOR VALUES IN (1); ${watchStatement(captureOf(events))}
      CREATE TABLE event_2 PARTITION OF event FOR VALUES IN (2) PARTITION BY RANGE (id);
      CREATE TABLE event_2_a PARTITION OF event_2 FOR VALUES FROM (0) TO (10)`)
  })

  it('has its triggers on every partition, also on those that came later', async () => {
    expect(await check([events])).toEqual([])
  })

  it.each([
    ['event_2_a', 'DROP TRIGGER tidemark_insert ON event_2_a', 'trigger tidemark_insert is missing'],
    ['event_1', 'ALTER TABLE event_1 DISABLE TRIGGER tidemark_row', 'trigger tidemark_row is set to DISABLE'],
    ['event_2', 'DROP TRIGGER tidemark_settled ON event_2', 'trigger tidemark_settled is missing'],
    [
      'event_3',
      `ALTER EVENT TRIGGER tidemark_alter DISABLE; CREATE TABLE event_3 PARTITION OF event FOR VALUES IN (3);
      ALTER EVENT TRIGGER tidemark_alter ENABLE ALWAYS`,
      'trigger tidemark_insert is missing',
    ],
  ])('%s: a fault there is found', async (place, sql, problem) => {
    await client.query(sql)
    expect((await messages([events]))[0]).toContain(`resource events, table ${place}: ${problem}`)
  })
})

describe('what hinders no start', () => {
  it('more facets than are declared: the migration of a release is ahead of its services', async () => {
    const { facets, ...rest } = captureOf(brands)
    await client.query(watchStatement({ ...rest, facets: { ...facets, name: 'name' } }))
    expect(await check()).toEqual([])
  })

  it('event triggers that are missing: a warning that says what goes unseen', async () => {
    await client.query('DROP EVENT TRIGGER tidemark_detach; ALTER EVENT TRIGGER tidemark_drop DISABLE')
    const warnings: string[] = []
    await requireCapture(query, catalogue.all, (message) => warnings.push(message))
    expect(warnings).toEqual([
      expect.stringMatching(/tidemark_detach, tidemark_drop\).* run SELECT tidemark\.watch_definitions\(\)/),
    ])
    await client.query('SELECT tidemark.watch_definitions()')
    expect(await check()).toEqual([])
  })

  it('a role that may not read the log', async () => {
    const role = `looker_${Math.random().toString(36).slice(2)}`
    await client.query(`CREATE ROLE ${role}; SET ROLE ${role}`)
    expect(await check()).toEqual([])
    await client.query(`RESET ROLE; DROP ROLE ${role}`)
  })
})

it('ends a start with one error that names all of it', async () => {
  await client.query('DROP TRIGGER tidemark_delete ON product; DROP TRIGGER tidemark_insert ON brand')
  await expect(requireCapture(query, catalogue.all, () => undefined)).rejects.toThrow(
    /^changes would be missed: resource brands, .*tidemark_insert is missing.*; resource products, .*tidemark_delete/,
  )
})

it('the command prints the findings and exits with 1, or one line and 0', async () => {
  expect(await runMain('doctor-main', [], { DATABASE_URL: url })).toEqual({
    code: 0,
    output: 'doctor: the changes of all 3 resources are captured\n',
  })
  await client.query('DROP TRIGGER tidemark_delete ON product; DROP EVENT TRIGGER tidemark_detach')
  const { code, output } = await runMain('doctor-main', [], { DATABASE_URL: url })
  expect(code).toBe(1)
  expect(output).toMatch(/^error: resource products, .*\nwarning: event triggers .*\n$/)
  expect(
    (await runMain('doctor-main', [], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' })).output,
  ).toMatch(/^doctor: .*ECONNREFUSED.*\n$/)
})
