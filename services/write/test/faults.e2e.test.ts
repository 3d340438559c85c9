/** A write while a store is in trouble: done or refused, never left hanging, never lost. */
import { emptyDatabase, eventually, faultProxy, ownRedis } from '@tidemark/testkit'
import type { FaultProxy, House, OwnServer, Received } from '@tidemark/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { productBody, tokenOf } from './fixture/products.js'
import type { Product } from './fixture/products.js'
import { startShop } from './fixture/shop.js'

/** A flush gives Redis 250 ms for each of two calls, and a second in all; the rest is a busy machine's. */
const redisBoundMs = 3_000
/** A statement has 5 seconds on the server and one more for the network; the flush after it another 2. */
const postgresBoundMs = 10_000

let proxy: FaultProxy
let redis: OwnServer
let house: House
beforeAll(async () => {
  const database = await emptyDatabase()
  proxy = await faultProxy(database.url)
  redis = await ownRedis()
  house = await startShop({
    database,
    redis: { url: redis.url },
    env: { DATABASE_URL: proxy.url },
    services: ['write'],
  })
})
afterAll(async () => {
  await house.stop()
  await redis.remove()
  await proxy.close()
})

const create = (body: object, timeoutMs: number, headers = {}): Promise<Received> =>
  house.write.send('POST', '/v1/products', { json: body, headers, timeoutMs })

async function streamPosition(): Promise<number> {
  const { headers } = await create(productBody(), redisBoundMs)
  return Number(String(headers['tidemark']).split('-')[1])
}

describe('Redis is not needed for a write', () => {
  test.each([
    { name: 'killed', strike: () => redis.kill(), mend: () => redis.start() },
    { name: 'hung', strike: () => redis.pause(), mend: () => redis.resume() },
  ])('$name: every write is done within its bound and has a token', async ({ strike, mend }) => {
    const before = await streamPosition()
    await strike()
    for (let i = 1; i <= 8; i++) {
      const answer = await create(productBody(), redisBoundMs)
      expect(answer.status).toBe(201)
      expect(Number(tokenOf(answer).split('-')[1])).toBe(before + i)
    }
    expect((await house.write.get('/readyz')).json()).toMatchObject({ status: 'degraded' })
    await mend()
    await eventually(async () => {
      expect((await house.write.get('/readyz')).json()).toMatchObject({ status: 'ready' })
    })
  })

  test('what was written meanwhile is shipped by the next write, without anybody else', async () => {
    await redis.kill()
    const { id } = (await create(productBody(), redisBoundMs)).json<Product>()
    await redis.start()
    const reader = await house.start('read')
    const path = `/v1/products/${id}`
    const held = await reader.get(path)
    expect(held.status).toBe(200)
    const write = await house.write.send('PATCH', path, { json: { stock: 99 }, timeoutMs: redisBoundMs })
    const seen = await reader.get(path, { Tidemark: tokenOf(write) })
    expect(seen.json<Product>().stock).toBe(99)
    await reader.process.kill('SIGKILL')
  })
})

describe('Postgres away: 503 with Retry-After, nothing hangs, and it works again without a restart', () => {
  beforeEach(() => proxy.heal())

  test.each([
    { name: 'cut', strike: () => proxy.cut() },
    {
      name: 'hung',
      strike: () => {
        proxy.hang()
        return Promise.resolve()
      },
    },
  ])('$name', async ({ strike }) => {
    const key = { 'Idempotency-Key': `away-${Math.random()}` }
    const body = productBody()
    await create(productBody(), postgresBoundMs)
    await strike()
    const answers = await Promise.all([
      create(body, postgresBoundMs, key),
      house.write.send('PATCH', '/v1/products/1', { json: { stock: 1 }, timeoutMs: postgresBoundMs }),
      house.write.send('DELETE', '/v1/products/2', { timeoutMs: postgresBoundMs }),
      house.write.send('POST', '/v1/products:batch', {
        json: { operations: [{ op: 'delete', id: 3 }] },
        timeoutMs: postgresBoundMs,
      }),
    ])
    for (const answer of answers) {
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
      expect(answer.json()).toMatchObject({ type: '/problems/unavailable', status: 503 })
    }
    expect((await house.write.get('/readyz')).status).toBe(503)
    await proxy.heal()
    // The same request until it is done: the key sees to it that it is done once, whatever became of the first.
    const done = await eventually(
      async () => {
        const answer = await create(body, postgresBoundMs, key)
        expect(answer.status).toBe(201)
        return answer
      },
      { timeoutMs: 30_000 },
    )
    expect(tokenOf(done)).toMatch(/^1-\d+$/)
    expect(await house.sql('SELECT 1 FROM product WHERE slug = $1', [body['slug']])).toHaveLength(1)
  })
})

test('a row that another transaction holds is waited for within a bound, then told', async () => {
  const holder = house.sql('BEGIN; SELECT 1 FROM product WHERE id = 5 FOR UPDATE; SELECT pg_sleep(4); COMMIT')
  await eventually(async () => {
    const [held] = await house.sql(`SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(4)%'
      AND wait_event = 'PgSleep'`)
    return held !== undefined
  })
  const answer = await house.write.send('PATCH', '/v1/products/5', {
    json: { stock: 1 },
    timeoutMs: postgresBoundMs,
  })
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
  expect(answer.json<{ detail: string }>().detail).toContain('Another transaction')
  await holder
})
