import { eventually, faultProxy } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabase, DatabaseError, type Database, type DatabaseOptions } from '../src/index.js'
import { scratchDatabase, seedCatalogue, type ScratchDatabase, type Session } from './scratch-database.js'

let scratch: ScratchDatabase
let session: Session
const opened: Database[] = []
const open = (options: Partial<DatabaseOptions> = {}) => {
  const each = createDatabase({ url: scratch.url, name: 'test', ...options })
  opened.push(each)
  return each
}
beforeAll(async () => {
  scratch = await scratchDatabase()
  session = await scratch.session()
  await seedCatalogue(session)
})
afterAll(async () => {
  await Promise.all(opened.map(async (each) => each.close()))
  await scratch.drop()
})
const pidOf = async (database: Database) =>
  (await database.prisma.$queryRaw<[{ pid: number }]>`SELECT pg_backend_pid() AS pid`)[0].pid

describe('a connection may serve only once it is verified', () => {
  it('one that is refused never serves, and says why', async () => {
    let verified = 0
    const database = open({
      verify: async () => {
        verified += 1
        throw new Error('its server is in term 3, not 4')
      },
    })
    for (const attempt of [database.pool.query('SELECT 1'), database.prisma.product.count()]) {
      await expect(attempt).rejects.toThrow('connection not accepted: its server is in term 3, not 4')
    }
    expect(verified).toBe(2)
    expect(database.pool.totalCount).toBe(0)
  })

  it('each connection is verified once, before its first statement', async () => {
    const verified: unknown[] = []
    const database = open({
      maxConnections: 3,
      verify: async (client) => {
        const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
        verified.push(rows[0]!.pid)
      },
    })
    const pids = await Promise.all(Array.from({ length: 20 }, async () => pidOf(database)))
    expect(new Set(pids)).toEqual(new Set(verified))
    expect(verified).toHaveLength(new Set(verified).size)
  })

  it('a verification that hangs is refused in time, one that throws at once too', async () => {
    const hanging = open({ connectTimeoutMs: 100, verify: async () => new Promise(() => undefined) })
    await expect(hanging.pool.query('SELECT 1')).rejects.toMatchObject({ code: 'CONNECTION_REFUSED' })
    const throwing = open({
      verify: () => {
        throw new Error('at once')
      },
    })
    await expect(throwing.pool.query('SELECT 1')).rejects.toThrow('at once')
  })

  it('a connection that breaks while it is verified is an error of the caller, not of the process', async () => {
    const proxy = await faultProxy(scratch.url)
    const database = open({
      url: proxy.url,
      verify: async (client) => {
        await proxy.cut()
        await client.query('SELECT 1')
      },
    })
    await expect(database.pool.query('SELECT 1')).rejects.toMatchObject({ code: 'CONNECTION_REFUSED' })
    await proxy.close()
  })
})

describe('renew()', () => {
  it('serves from new, newly verified connections at once, while old statements finish', async () => {
    let verified = 0
    const database = open({
      verify: async () => {
        verified += 1
      },
    })
    const before = await pidOf(database)
    const old = database.pool
    const running = database.pool.query('SELECT pg_sleep(0.3), pg_backend_pid() AS pid')
    database.renew()
    expect(database.pool).not.toBe(old)
    expect(database.generation).toBe(1)
    expect(await pidOf(database)).not.toBe(before)
    expect(verified).toBe(2)
    expect((await running).rows).toMatchObject([{ pid: before }])
    await eventually(() => old.ended && old.totalCount === 0)
  })

  it('those who wait for an old connection still get one', async () => {
    const database = open({ maxConnections: 1 })
    const work = [1, 2, 3].map(async (n) => database.pool.query(`SELECT pg_sleep(0.05), ${n} AS n`))
    database.renew()
    expect((await Promise.all(work)).map(({ rows }) => (rows as { n: number }[])[0]!.n)).toEqual([1, 2, 3])
  })

  it('cuts what has not finished in time', async () => {
    const database = open({ drainTimeoutMs: 100 })
    const running = database.pool.query('SELECT pg_sleep(4)')
    running.catch(() => undefined)
    await eventually(() => database.pool.totalCount === 1 && database.pool.waitingCount === 0)
    await eventually(
      async () =>
        (
          await session.rows(
            `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(4)%' AND state = 'active'`,
          )
        ).length > 0,
    )
    database.renew()
    await expect(running).rejects.toThrow('Connection terminated')
  })
})

describe('close()', () => {
  it('lets statements finish, may be called twice, and then refuses', async () => {
    const database = open()
    await database.pool.query('SELECT 1')
    // Prisma sends nothing until someone asks for the result.
    const running = database.prisma.$queryRaw`SELECT pg_sleep(0.2)::text`.then((rows) => rows)
    await eventually(() => database.pool.idleCount === 0)
    await Promise.all([database.close(), database.close()])
    await expect(running).resolves.toHaveLength(1)
    await expect(database.pool.query('SELECT 1')).rejects.toThrow()
    expect(() => {
      database.renew()
    }).toThrow(DatabaseError)
  })
})

describe('a connection', () => {
  it('that breaks while idle is reported and replaced', async () => {
    const lost: Error[] = []
    const database = open({ onConnectionLost: (error) => lost.push(error) })
    const pid = await pidOf(database)
    await session.rows(`SELECT pg_terminate_backend(${pid})`)
    await eventually(() => lost.length > 0)
    expect(await pidOf(database)).not.toBe(pid)
  })

  it('whose statement got no answer never returns to the pool, so that nobody joins its open transaction', async () => {
    const proxy = await faultProxy(scratch.url)
    const database = open({
      url: proxy.url,
      maxConnections: 1,
      statementTimeoutMs: 200,
      connectTimeoutMs: 2_000,
    })
    const before = await pidOf(database)
    await expect(
      database.prisma.$transaction(
        async (tx) => {
          await tx.product.update({ where: { id: 1 }, data: { stock: 4 } })
          await proxy.hang()
          await tx.product.count()
        },
        { timeout: 20_000 },
      ),
    ).rejects.toThrow()
    await proxy.heal()
    await database.prisma.product.update({ where: { id: 2 }, data: { stock: 7 } })
    expect(await pidOf(database)).not.toBe(before)
    expect(await session.rows('SELECT stock FROM product WHERE id = 2')).toEqual([{ stock: 7 }])
    await proxy.close()
  })

  it('keeps time in UTC, without which Prisma shifts it, and has its limits set on the server', async () => {
    const database = open({
      url: `${scratch.url}?options=-c%20work_mem%3D5MB`,
      statementTimeoutMs: 1234,
      lockTimeoutMs: 321,
    })
    const moment = new Date('2026-07-01T12:34:56.789Z')
    const key = { scope: 's', key: 'time' }
    await session.rows(`SET TimeZone = 'Asia/Kolkata'`)
    await database.prisma.idempotencyKey.create({ data: { ...key, requestHash: 'h', expiresAt: moment } })
    expect((await database.prisma.idempotencyKey.findFirstOrThrow({ where: key })).expiresAt).toEqual(moment)
    expect(
      (await session.rows<{ expires_at: Date }>('SELECT expires_at FROM idempotency_key'))[0]!.expires_at,
    ).toEqual(moment)
    const { rows } = await database.pool.query(
      `SELECT current_setting('TimeZone') AS zone, current_setting('work_mem') AS memory,
        current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock`,
    )
    expect(rows).toEqual([{ zone: 'UTC', memory: '5MB', statement: '1234ms', lock: '321ms' }])
  })

  it.each([
    { maxConnections: 0 },
    { statementTimeoutMs: Number.NaN },
    { connectTimeoutMs: -1 },
    { url: 'http://x' },
  ])('without a limit or a usable URL is refused: %o', (options) => {
    expect(() => open(options)).toThrow(DatabaseError)
  })
})
