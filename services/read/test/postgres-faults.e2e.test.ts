/** Postgres cut off, hung and crashed: graced answers say so, promises are kept or refused, and all comes back. */
import { emptyDatabase, eventually, faultProxy, ownPostgres, seenWithin } from '@tidemark/testkit'
import type { FaultProxy, House, OwnServer, Received } from '@tidemark/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { cacheStatus, layerOf } from './fixture/cache-status.js'
import { createProduct, tokenOf } from './fixture/products.js'
import { startShop } from './fixture/shop.js'

/** Of every resource of the sample shop. */
const maxLagMs = 2_000
/** Of a query: 5 seconds for the server and one for the network; twice, since the pool may first hand out a dead connection. */
const answerBoundMs = 13_000

const stockOf = (answer: Received): number => answer.json<{ stock: number }>().stock

function expectUnavailable(answer: Received): void {
  expect([answer.status, answer.headers['content-type']]).toEqual([503, 'application/problem+json'])
  expect(answer.headers['retry-after']).toBe('1')
  expect(answer.json<{ detail: string }>().detail).toContain('Postgres')
}

describe('a network that fails', () => {
  let proxy: FaultProxy
  let house: House
  beforeAll(async () => {
    const database = await emptyDatabase()
    proxy = await faultProxy(database.url)
    house = await startShop({ database, env: { DATABASE_URL: proxy.url } })
  })
  afterAll(async () => {
    await house.stop()
    await proxy.close()
  })
  afterEach(async () => {
    await proxy.heal()
    await eventually(
      async () => {
        for (const service of [house.read, house.write, house.invalidation])
          expect((await service.get('/readyz')).json()).toMatchObject({ status: 'ready' })
      },
      { timeoutMs: 20_000 },
    )
  })

  const send = (path: string, headers: Record<string, string> = {}): Promise<Received> =>
    house.read.send('GET', path, { headers, timeoutMs: answerBoundMs })

  async function warm(path: string): Promise<void> {
    await eventually(async () => {
      expect(layerOf(await send(path))).toMatch(/l1|l2/)
    })
  }

  describe.each([
    { name: 'cut', first: 10, strike: () => proxy.cut() },
    {
      name: 'hung',
      first: 20,
      strike: () => {
        proxy.hang()
        return Promise.resolve()
      },
    },
  ])('$name', ({ first, strike }) => {
    const held = `/v1/products/${first}`
    const list = `/v1/products?categoryId=${first}`

    test('what is held is served, first proven, then labelled as stale; nothing else is promised', async () => {
      await warm(held)
      await warm(list)
      await warm('/v1/products/777777')
      await strike()

      const stale = await eventually(
        async () => {
          const answer = await send(held)
          expect(answer.status).toBe(200)
          // Until the bound has passed the proof of before still holds.
          expect(cacheStatus(answer)).toMatchObject({ detail: 'stale' })
          return answer
        },
        { timeoutMs: 20_000 },
      )
      expect(cacheStatus(stale)).toEqual({ cache: 'tidemark', hit: true, ttl: -1, detail: 'stale' })
      for (const name of ['tidemark', 'tidemark-lag']) expect(stale.headers[name]).toBeUndefined()
      expect(Number(stale.headers.age)).toBeGreaterThanOrEqual(0)

      const [page, none, batch, missing, strict, session, withToken, write, invalidation] = await Promise.all(
        [
          send(list),
          send('/v1/products/777777'),
          house.read.send('POST', '/v1/products:batchGet', {
            json: { ids: [first] },
            timeoutMs: answerBoundMs,
          }),
          send(`/v1/products/${first + 5}`),
          send(held, { 'Tidemark-Level': 'strict' }),
          send(held, { 'Tidemark-Level': 'session' }),
          send(held, { Tidemark: '1-1' }),
          house.write.send('PATCH', held, { json: { stock: 1 }, timeoutMs: answerBoundMs }),
          house.invalidation.send('POST', '/v1/invalidations', {
            json: { tags: ['*'], reason: 'a test' },
            timeoutMs: answerBoundMs,
          }),
        ],
      )
      expect([page.status, layerOf(page)]).toEqual([200, 'stale'])
      expect([none.status, layerOf(none)]).toEqual([404, 'stale'])
      expect([batch.status, layerOf(batch), batch.headers['tidemark']]).toEqual([200, 'stale', undefined])
      for (const answer of [missing, strict, session, withToken, write, invalidation])
        expectUnavailable(answer)
      expect((await house.read.get('/readyz')).json()).toMatchObject({ status: 'degraded' })
      expect((await house.write.get('/readyz')).status).toBe(503)
      expect((await house.invalidation.get('/v1/status')).json()).toMatchObject({ log: null })
    })

    test('afterwards all levels work again without a restart, and what was committed meanwhile is seen', async () => {
      const path = `/v1/products/${first + 7}`
      await warm(path)
      await strike()
      await house.sql('UPDATE product SET stock = 7000 WHERE id = $1', [first + 7])
      await proxy.heal()
      await eventually(async () => (await send(path, { 'Tidemark-Level': 'strict' })).status === 200, {
        timeoutMs: 20_000,
      })
      expect(stockOf(await send(path, { 'Tidemark-Level': 'strict' }))).toBe(7_000)
      const { id, token } = await eventually(() => createProduct(house), { timeoutMs: 20_000 })
      expect((await send(`/v1/products/${id}`, { Tidemark: token })).status).toBe(200)
      await eventually(async () => layerOf(await send(path)) === 'l1', { timeoutMs: 20_000 })
      await house.sql('UPDATE product SET stock = 7001 WHERE id = $1', [first + 7])
      await seenWithin(maxLagMs, async () => stockOf(await send(path)) === 7_001)
    })
  })
})

describe('a crash', () => {
  let postgres: OwnServer
  let house: House
  beforeAll(async () => {
    postgres = await ownPostgres()
    house = await startShop({ database: { url: postgres.url, drop: () => Promise.resolve() } })
  })
  afterAll(async () => {
    await house.stop()
    await postgres.remove()
  })

  test('begins a new epoch: what was cached before is sunk, old tokens count as met and say what was lost', async () => {
    const { id, token } = await createProduct(house)
    const path = `/v1/products/${id}`
    await eventually(async () => layerOf(await house.read.get(path)) === 'l1')
    await postgres.kill()
    await postgres.start()
    const strict = await eventually(
      async () => {
        const answer = await house.read.get(path, { 'Tidemark-Level': 'strict' })
        expect(answer.status).toBe(200)
        return answer
      },
      { timeoutMs: 30_000 },
    )
    expect(tokenOf(strict)).toMatch(/^2-/)
    expect(layerOf(strict)).toBe('origin')
    const old = await house.read.get(path, { Tidemark: token })
    expect(old.headers['cache-status']).toContain('tidemark-history=lost')
    const written = await eventually(() => createProduct(house), { timeoutMs: 20_000 })
    expect(written.token).toMatch(/^2-/)
    await eventually(async () => layerOf(await house.read.get(path)) === 'l1')
    await house.sql('UPDATE product SET stock = 77 WHERE id = $1', [id])
    await seenWithin(maxLagMs, async () => stockOf(await house.read.get(path)) === 77)
  })
})
