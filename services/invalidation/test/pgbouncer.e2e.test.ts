/** Everything behind PgBouncer in transaction mode: no connection keeps anything from one transaction to the next. */
import { emptyDatabase, eventually, hasPgBouncer, ownPgBouncer, seenWithin } from '@tidemark/testkit'
import type { House, OwnPgBouncer, Received } from '@tidemark/testkit'
import { createPool, migrate } from '@tidemark/database'
import { seed } from '@tidemark/resources/seed'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startShop } from './fixture/shop.js'

const maxLagMs = 2_000
const isThere = await hasPgBouncer()

describe.skipIf(!isThere)('through PgBouncer', () => {
  let bouncer: OwnPgBouncer
  let house: House
  let databaseUrl: string
  beforeAll(async () => {
    const database = await emptyDatabase()
    databaseUrl = database.url
    bouncer = await ownPgBouncer(databaseUrl)
    house = await startShop({
      // Migrations hold a session lock: they go to Postgres itself.
      fill: async () => {
        await migrate(database.url)
        await seed(database.url, { products: 300 })
      },
      database,
      env: { DATABASE_URL: bouncer.url },
    })
    await house.start('invalidation')
  })
  afterAll(async () => {
    await house.stop()
    await bouncer.remove()
  })

  const patch = (id: number, stock: number): Promise<Received> =>
    house.write.send('PATCH', `/v1/products/${id}`, {
      json: { stock },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    })
  const stockOf = (answer: Received): number => answer.json<{ stock: number }>().stock

  test('writes through the service and by raw SQL are captured, sequenced, shipped and seen', async () => {
    for (let round = 1; round <= 5; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const written = await patch(i + 1, round)
          expect(written.status).toBe(200)
          const path = `/v1/products/${i + 1}`
          const read = await house.read.get(path, { Tidemark: String(written.headers['tidemark']) })
          expect(stockOf(read)).toBe(round)
        }),
      )
    }
    await house.sql('UPDATE product SET stock = 77 WHERE id = 30')
    await seenWithin(maxLagMs, async () => stockOf(await house.read.get('/v1/products/30')) === 77)
    const strict = await house.read.get('/v1/products/30', { 'Tidemark-Level': 'strict' })
    expect(stockOf(strict)).toBe(77)
  })

  test('nothing that they log is trouble with a session or a statement', () => {
    for (const { name, process } of [house.read, house.write, house.invalidation])
      expect(`${name} ${process.output()}`).not.toMatch(
        /prepared statement|unsupported startup|"level":(40|50)/,
      )
  })

  test('a role whose sessions are not in UTC is refused, and the message says what to do', async () => {
    const [{ role }] = (await house.sql('SELECT current_user AS role')) as [{ role: string }]
    const [{ name }] = (await house.sql('SELECT current_database() AS name')) as [{ name: string }]
    await house.sql(`ALTER ROLE ${role} IN DATABASE ${name} SET TimeZone = 'Asia/Tokyo'`)
    const second = await ownPgBouncer(databaseUrl)
    try {
      const pool = createPool({ url: second.url, name: 'test' })
      await expect(pool.query('SELECT 1')).rejects.toThrow("SET TimeZone = 'UTC'")
      await pool.end()
    } finally {
      await house.sql(`ALTER ROLE ${role} IN DATABASE ${name} RESET TimeZone`)
      await second.remove()
    }
  })

  test('the care of the outbox passes too: VACUUM, the bound, trimming', async () => {
    await eventually(async () => {
      await patch(1, 5)
      const [bound] = await house.sql<{ next: number }>(
        'SELECT (bound).next::float8 AS next FROM tidemark.log ORDER BY position DESC LIMIT 1',
      )
      expect(bound!.next).toBeGreaterThan(100)
    })
    const [{ strays }] = (await house.sql('SELECT tidemark.find_strays()::int AS strays')) as [
      { strays: number },
    ]
    expect(strays).toBe(0)
  })
})
