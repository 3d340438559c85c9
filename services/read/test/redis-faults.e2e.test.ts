/** Redis killed, hung and back, and a reader that was paused: nothing stale beyond the promise, nothing hangs. */
import { eventually, loseEverything, ownRedis, seenWithin } from '@tidemark/testkit'
import type { House, OwnServer, Received } from '@tidemark/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { layerOf } from './fixture/cache-status.js'
import { tokenOf } from './fixture/products.js'
import { startShop } from './fixture/shop.js'

/** Of every resource of the sample shop. */
const maxLagMs = 2_000
/** For one answer while Redis is in trouble: its deadlines are 50 and 250 ms; the rest is a busy machine's. */
const answerBoundMs = 3_000

let redis: OwnServer
let house: House
beforeAll(async () => {
  // Durable, so that it comes back with the values of before.
  redis = await ownRedis({ appendonly: 'yes', appendfsync: 'always' })
  house = await startShop({ redis: { url: redis.url } })
})
afterAll(async () => {
  await house.stop()
  await redis.remove()
})
afterEach(async () => {
  await redis.resume().catch(() => undefined)
  await redis.start().catch(() => undefined)
  await eventually(async () => {
    const { checks } = (await house.read.get('/readyz')).json<{ checks: { redis: { status: string } } }>()
    return checks.redis.status === 'ok'
  })
})

const stockOf = (answer: Received): number => answer.json<{ stock: number }>().stock

async function get(path: string, headers: Record<string, string> = {}): Promise<Received> {
  const answer = await house.read.send('GET', path, { headers, timeoutMs: answerBoundMs })
  expect(answer.status).toBe(200)
  return answer
}

async function setStock(id: number, stock: number): Promise<Received> {
  const answer = await house.write.send('PATCH', `/v1/products/${id}`, {
    json: { stock },
    timeoutMs: answerBoundMs,
  })
  expect(answer.status).toBe(200)
  return answer
}

async function warm(path: string): Promise<void> {
  await eventually(async () => {
    expect(layerOf(await get(path))).toBe('l1')
  })
}

const faults = [
  { name: 'killed', strike: () => redis.kill(), mend: () => redis.start() },
  { name: 'hung', strike: () => redis.pause(), mend: () => redis.resume() },
]

describe.each(faults)('Redis $name', ({ name, strike, mend }) => {
  const first = name === 'killed' ? 10 : 30

  test('writes are done and answered in time, and each level keeps its promise', async () => {
    await warm(`/v1/products/${first}`)
    await strike()
    for (let i = 0; i < 3; i++) {
      const id = first + i
      const write = await setStock(id, 1_000 + i)
      expect(stockOf(await get(`/v1/products/${id}`, { Tidemark: tokenOf(write) }))).toBe(1_000 + i)
      await house.sql('UPDATE product SET stock = $2 WHERE id = $1', [id, 2_000 + i])
      expect(stockOf(await get(`/v1/products/${id}`, { 'Tidemark-Level': 'strict' }))).toBe(2_000 + i)
      await house.sql('UPDATE product SET stock = $2 WHERE id = $1', [id, 3_000 + i])
      await seenWithin(maxLagMs, async () => stockOf(await get(`/v1/products/${id}`)) === 3_000 + i)
    }
    // Memory goes on serving, since the log is followed in Postgres.
    await warm(`/v1/products/${first}`)
    await mend()
  })

  test('what was written meanwhile is seen when it is back, also by a reader that has only Redis to go by', async () => {
    const other = await house.start('read')
    // A value that Redis has: right after trouble it is spared, and a value is kept in memory alone.
    let id = first + 5
    await eventually(
      async () => {
        id = id === first + 9 ? first + 5 : id + 1
        await setStock(id, id)
        await warm(`/v1/products/${id}`)
        expect(layerOf(await other.get(`/v1/products/${id}`))).toBe('l2')
      },
      { timeoutMs: 20_000 },
    )
    const path = `/v1/products/${id}`
    await other.process.kill('SIGKILL')
    await strike()
    await setStock(id, 4_000)
    await mend()
    const late = await house.start('read')
    await eventually(async () => stockOf(await late.get(path)) === 4_000, { timeoutMs: 10_000 })
    await late.process.kill('SIGKILL')
    await seenWithin(maxLagMs, async () => stockOf(await get(path)) === 4_000)
  })

  test('the stream is followed again by itself afterwards', async () => {
    await strike()
    await setStock(first + 10, 1)
    await mend()
    await eventually(
      async () => {
        const { sinks, followers } = (await house.invalidation.get('/v1/status')).json<{
          sinks: { behind: number }[]
          followers: { mode: string; seenMsAgo: number }[] | null
        }>()
        expect(sinks[0]?.behind).toBe(0)
        const modes = followers?.filter(({ seenMsAgo }) => seenMsAgo < 1_500).map(({ mode }) => mode)
        expect(new Set(modes)).toEqual(new Set(['stream']))
      },
      { timeoutMs: 15_000 },
    )
  })
})

describe('Redis loses everything', () => {
  test('no value of before is served, and no write is lost', async () => {
    const path = '/v1/products/50'
    await warm(path)
    await loseEverything(redis.url)
    const write = await setStock(50, 5_000)
    expect(stockOf(await get(path, { Tidemark: tokenOf(write) }))).toBe(5_000)
    await house.sql('UPDATE product SET stock = 5001 WHERE id = 50')
    await seenWithin(maxLagMs, async () => stockOf(await get(path)) === 5_001)
  })
})

describe('a reader that is paused', () => {
  test('past its bound: what it answers first when it wakes is not stale', async () => {
    const paths = [60, 61, 62].map((id) => `/v1/products/${id}`)
    for (const path of paths) await warm(path)
    house.read.process.signal('SIGSTOP')
    await house.sql('UPDATE product SET stock = 6000 WHERE id IN (60, 61, 62)')
    const committedAt = performance.now()
    await eventually(() => performance.now() - committedAt > maxLagMs, { timeoutMs: 10_000 })
    // They lie in its socket when it wakes, before anything that the stream has to tell.
    const answers = paths.map((path) => house.read.get(path))
    house.read.process.signal('SIGCONT')
    expect((await Promise.all(answers)).map(stockOf)).toEqual([6_000, 6_000, 6_000])
  })
})
