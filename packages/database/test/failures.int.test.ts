import { faultProxy } from '@tidemark/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { classifyFailure, createDatabase, type Database, type Failure } from '../src/index.js'
import { scratchDatabase, seedCatalogue, type ScratchDatabase, type Session } from './scratch-database.js'

let scratch: ScratchDatabase
let session: Session
let database: Database
const opened: Database[] = []

const open = (options: Partial<Parameters<typeof createDatabase>[0]> = {}) => {
  const each = createDatabase({ url: scratch.url, name: 'test', drainTimeoutMs: 200, ...options })
  opened.push(each)
  return each
}
beforeAll(async () => {
  scratch = await scratchDatabase()
  session = await scratch.session()
  await seedCatalogue(session)
  database = open()
})
afterAll(async () => {
  await Promise.all(opened.map(async (each) => each.close()))
  await scratch.drop()
})

async function failureOf(work: PromiseLike<unknown>): Promise<Failure> {
  try {
    await work
  } catch (error) {
    return classifyFailure(error)
  }
  throw new Error('it did not fail')
}
const row = (more: object = {}) => ({
  data: {
    slug: `s${Math.random()}`,
    name: 'n',
    description: 'd',
    categoryId: 1,
    brandId: 1,
    priceCents: 1,
    ...more,
  },
})
const insertSql = (values: string) =>
  `INSERT INTO product (slug, name, description, category_id, brand_id, price_cents) VALUES (${values})`

describe('a failure is told in the same words whether Prisma or pg met it', () => {
  it('unique', async () => {
    const expected = { kind: 'unique', fields: ['slug'] }
    expect(await failureOf(database.prisma.product.create(row({ slug: 'p1' })))).toEqual(expected)
    expect(await failureOf(database.pool.query(insertSql(`'p1', 'n', 'd', 1, 1, 1`)))).toEqual(expected)
    const key = { data: { scope: 's', key: 'k', requestHash: 'h', expiresAt: new Date() } }
    await database.prisma.idempotencyKey.create(key)
    expect(await failureOf(database.prisma.idempotencyKey.create(key))).toMatchObject({ kind: 'unique' })
  })

  it('foreign key, of a row that names one that is not there', async () => {
    const expected = { kind: 'foreign-key', field: 'categoryId', side: 'missing' }
    expect(await failureOf(database.prisma.product.create(row({ categoryId: 999 })))).toEqual(expected)
    expect(await failureOf(database.pool.query(insertSql(`'q', 'n', 'd', 999, 1, 1`)))).toEqual(expected)
  })

  it('foreign key, of a row that others still name', async () => {
    const expected = { kind: 'foreign-key', field: 'brandId', side: 'referenced' }
    expect(await failureOf(database.prisma.brand.delete({ where: { id: 1 } }))).toEqual(expected)
    expect(await failureOf(database.pool.query('DELETE FROM brand WHERE id = 1'))).toEqual(expected)
  })

  it('check', async () => {
    const expected = { kind: 'check', fields: ['priceCents'], constraint: 'product_price_cents_check' }
    expect(await failureOf(database.prisma.product.create(row({ priceCents: -1 })))).toEqual(expected)
    expect(await failureOf(database.pool.query(insertSql(`'q', 'n', 'd', 1, 1, -1`)))).toEqual(expected)
  })

  it('a value that the column cannot hold', async () => {
    expect(await failureOf(database.pool.query(insertSql(`'q', NULL, 'd', 1, 1, 1`)))).toEqual({
      kind: 'invalid',
      field: 'name',
    })
    expect(await failureOf(database.prisma.product.create(row({ name: 'a\u0000b' })))).toMatchObject({
      kind: 'invalid',
    })
    expect(
      await failureOf(
        database.prisma.$executeRaw`INSERT INTO brand (slug, name, country) VALUES ('q', NULL, 'DE')`,
      ),
    ).toEqual({ kind: 'invalid', field: 'name' })
  })

  it('a row that is not there', async () => {
    expect(
      await failureOf(database.prisma.product.update({ where: { id: 999 }, data: { stock: 1 } })),
    ).toEqual({ kind: 'not-found' })
  })

  it('a conflict with a concurrent transaction', async () => {
    const lost = database.prisma.$transaction(
      async (tx) => {
        await tx.product.findFirst({ where: { id: 1 } })
        await session.rows('UPDATE product SET stock = stock + 1 WHERE id = 1')
        await tx.product.update({ where: { id: 1 }, data: { stock: 5 } })
      },
      { isolationLevel: 'RepeatableRead' },
    )
    expect(await failureOf(lost)).toEqual({ kind: 'conflict' })
  })

  it('anything else', async () => {
    expect(await failureOf(database.pool.query('SELECT nonsense'))).toEqual({ kind: 'other' })
    for (const odd of [undefined, null, 'text', 5, {}, new Error('x')])
      expect(classifyFailure(odd)).toEqual({ kind: 'other' })
  })
})

describe('Postgres that cannot answer is unavailable', () => {
  const both = async (each: Database) => [
    await failureOf(each.prisma.product.count()),
    await failureOf(each.pool.query('SELECT 1')),
    await failureOf(each.prisma.$transaction(async (tx) => tx.product.count())),
  ]
  const unavailable = expect.objectContaining({
    kind: 'unavailable',
    reason: expect.stringMatching(/./),
  }) as Failure

  it('refused', async () => {
    const url = new URL(scratch.url)
    url.port = '1'
    expect(await both(open({ url: url.href }))).toEqual([unavailable, unavailable, unavailable])
  })

  it('hung before and during a connection, within the limits', async () => {
    const proxy = await faultProxy(scratch.url)
    const each = open({ url: proxy.url, connectTimeoutMs: 300, statementTimeoutMs: 300 })
    await each.prisma.product.count()
    await proxy.hang()
    expect(await both(each)).toEqual([unavailable, unavailable, unavailable])
    await proxy.heal()
    await expect.poll(async () => each.prisma.product.count()).toBe(3)
    await proxy.cut()
    expect(await both(each)).toEqual([unavailable, unavailable, unavailable])
    await proxy.close()
  })

  it('its session ended by an administrator', async () => {
    const sleeping = failureOf(database.prisma.$queryRaw`SELECT pg_sleep(4)`)
    await expect
      .poll(async () =>
        session.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(4)%' AND pid <> pg_backend_pid()`),
      )
      .toHaveLength(1)
    expect(await sleeping).toEqual(unavailable)
    expect(await database.prisma.product.count()).toBe(3)
  })

  it('a statement over its time, a lock over its time, a pool without a free connection', async () => {
    const each = open({
      statementTimeoutMs: 200,
      lockTimeoutMs: 100,
      connectTimeoutMs: 100,
      maxConnections: 1,
    })
    expect(await failureOf(each.prisma.$queryRaw`SELECT pg_sleep(4)`)).toEqual(unavailable)
    await session.rows('BEGIN; SELECT 1 FROM product WHERE id = 1 FOR UPDATE')
    expect(await failureOf(each.prisma.product.update({ where: { id: 1 }, data: { stock: 1 } }))).toEqual(
      unavailable,
    )
    await session.rows('ROLLBACK')
    const held = await each.pool.connect()
    expect(await both(each)).toEqual([unavailable, unavailable, unavailable])
    held.release()
  })

  it('a server that has become read-only', async () => {
    const each = open({ url: `${scratch.url}?options=-c%20default_transaction_read_only%3Don` })
    expect(await failureOf(each.prisma.product.update({ where: { id: 1 }, data: { stock: 1 } }))).toEqual(
      unavailable,
    )
  })
})

beforeEach(async () => session.rows('DELETE FROM idempotency_key'))
