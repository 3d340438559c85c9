/** What the invalidation service does for readers: ships, takes external invalidations, tells where everybody is. */
import { eventually, seenWithin } from '@tidemark/testkit'
import type { House, Received } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startShop } from './fixture/shop.js'

interface Status {
  log: {
    term: number
    position: number
    outboxRows: number
    oldestUnsequencedMs: number
    keptPositions: number
  }
  sinks: { name: string; end: { term: number; position: number }; behind: number; lastError: string | null }[]
  follower: { term: number; position: number; mode: string; lagMs: number }
  followers: {
    id: string
    service: string
    position: number
    mode: string
    lagMs: number
    behind: number
    seenMsAgo: number
  }[]
}

let house: House
beforeAll(async () => {
  house = await startShop({ services: ['invalidation', 'read'] })
})
afterAll(() => house.stop())

const get = (path: string, headers?: Record<string, string>): Promise<Received> =>
  house.read.get(path, headers)
const status = async (): Promise<Status> => (await house.invalidation.get('/v1/status')).json<Status>()
const isHit = ({ headers }: Received): boolean => String(headers['cache-status']).includes('hit')
const stockOf = (answer: Received): number => answer.json<{ stock: number }>().stock

async function invalidate(...tags: string[]): Promise<{ Tidemark: string }> {
  const answer = await house.invalidation.send('POST', '/v1/invalidations', {
    json: { tags, reason: 'a test' },
  })
  expect(answer.status).toBe(201)
  const token = String(answer.headers['tidemark'])
  expect(answer.json()).toEqual({ tags, token })
  return { Tidemark: token }
}

async function warm(...paths: string[]): Promise<void> {
  for (const path of paths)
    await eventually(async () => {
      expect(isHit(await get(path))).toBe(true)
    })
}

/** Longest that `bounded` lets an answer trail; the reader's own promise. */
const maxLagMs = 2_000

describe('an external invalidation sinks what carries its tag, and nothing else', () => {
  const one = '/v1/products/1'
  const other = '/v1/products/2'
  const list = '/v1/products?limit=2'
  const facet = '/v1/products?categoryId=5'
  const brand = '/v1/brands/1'
  test.each([
    ['one row', 'product:1', [one]],
    ['the lists', 'product', [list]],
    ['a facet', 'product.categoryId=5', [facet]],
    ['all of a resource', 'product!all', [one, other, list, facet]],
    ['everything', '*', [one, other, list, facet, brand]],
  ])('%s', async (_, tag, sunk) => {
    const all = [one, other, list, facet, brand]
    await warm(...all)
    const headers = await invalidate(tag)
    const missed: string[] = []
    for (const path of all) if (!isHit(await get(path, headers))) missed.push(path)
    expect(missed).toEqual(sunk)
  })

  test('it stands in the log with its reason and the trace of its caller', async () => {
    const traceparent = `00-${'c'.repeat(31)}1-${'d'.repeat(15)}2-01`
    await house.invalidation.send('POST', '/v1/invalidations', {
      json: { tags: ['shop.city=New York', 'shop.city=New York'], reason: 'the price file was replaced' },
      headers: { traceparent },
    })
    const [row] = await house.sql<{ tags: string[]; change: object }>(
      `SELECT tags, changes->0 AS change FROM tidemark.log ORDER BY position DESC LIMIT 1`,
    )
    expect(row?.tags).toEqual(['shop.city=New York'])
    const expected = { operation: 'invalidate', reason: 'the price file was replaced', trace: traceparent }
    expect(row?.change).toMatchObject(expected)
  })
})

describe('raw SQL is shipped by nobody but the invalidation service', () => {
  test('it is seen without a token, though no writer flushed: as after a writer that died after its commit', async () => {
    await warm('/v1/products/3')
    await house.sql('UPDATE product SET stock = 333 WHERE id = 3')
    await seenWithin(maxLagMs, async () => stockOf(await get('/v1/products/3')) === 333)
  })

  test('a statement over many rows sinks all of them', async () => {
    await warm('/v1/products/4', '/v1/products?categoryId=5')
    await house.sql('UPDATE product SET stock = 444')
    await seenWithin(maxLagMs, async () => stockOf(await get('/v1/products/4')) === 444)
  })
})

test('how long changes were under way, and what waits, are metrics', async () => {
  await house.sql('UPDATE product SET stock = stock + 1 WHERE id = 1')
  await eventually(async () => (await house.read.metric('tidemark_change_applied_seconds_count')) > 0)
  await eventually(
    async () => (await house.invalidation.metric('tidemark_change_sequenced_seconds_count')) > 0,
  )
  const { log } = await status()
  expect(await house.invalidation.metric('tidemark_log_term')).toBe(log.term)
  expect(await house.invalidation.metric('tidemark_log_position')).toBeGreaterThanOrEqual(log.position)
  expect(await house.invalidation.metric('tidemark_log_kept_positions')).toBeGreaterThan(0)
  const stuck = house.sql(
    `DO $$ BEGIN LOCK TABLE tidemark.epoch IN EXCLUSIVE MODE; PERFORM pg_sleep(3); END $$`,
  )
  const locked = `SELECT 1 FROM pg_locks WHERE relation = 'tidemark.epoch'::regclass AND mode = 'ExclusiveLock' AND granted`
  await eventually(async () => (await house.sql(locked)).length === 1)
  await house.sql('UPDATE product SET stock = stock + 1 WHERE id = 1')
  await eventually(async () => (await house.invalidation.metric('tidemark_outbox_oldest_seconds')) > 0.5)
  expect(await house.invalidation.metric('tidemark_outbox_rows')).toBe(1)
  await stuck
  await eventually(async () => (await house.invalidation.metric('tidemark_outbox_rows')) === 0)
})

describe('the status says where everybody is', () => {
  test('log, sink, this process and the readers are at one position, and within their bounds', async () => {
    await invalidate('x')
    await eventually(async () => {
      const { log, sinks, follower, followers } = await status()
      expect(log.outboxRows).toBe(0)
      expect(log.keptPositions).toBeGreaterThan(0)
      expect(sinks).toMatchObject([
        { name: 'redis', end: { term: log.term, position: log.position }, behind: 0, lastError: null },
      ])
      expect(follower).toMatchObject({ term: log.term, position: log.position, mode: 'stream' })
      expect(followers).toMatchObject([
        { service: 'read', term: log.term, position: log.position, mode: 'stream', behind: 0 },
      ])
      expect(followers[0]!.lagMs).toBeLessThan(maxLagMs)
    })
  })

  test('also when nothing changes the sink is told so, for those who follow it', async () => {
    const shipments = (): Promise<number> => house.invalidation.metric('tidemark_sink_shipments_total')
    const before = await shipments()
    await eventually(async () => (await shipments()) > before + 20)
  })

  test('a second reader appears beside the first', async () => {
    const second = await house.start('read')
    await eventually(async () => (await status()).followers.length === 2)
    await second.process.kill('SIGTERM')
    expect(await second.process.ended).toEqual({ code: 0, signal: null })
  })
})

describe('invalidation services come and go', () => {
  test('two at once do no harm: positions stay dense, and every change is seen', async () => {
    const second = await house.start('invalidation')
    for (let stock = 500; stock < 520; stock++) {
      await house.sql('UPDATE product SET stock = $1 WHERE id = 5', [stock])
      const answer = await get('/v1/products/5', { 'Tidemark-Level': 'strict' })
      expect(stockOf(answer)).toBe(stock)
    }
    const [log] = await house.sql<{ rows: number; span: number }>(
      'SELECT count(*)::int AS rows, (max(position) - min(position) + 1)::int AS span FROM tidemark.log',
    )
    expect(log!.rows).toBe(log!.span)
    await eventually(async () => (await status()).sinks[0]?.behind === 0)
    await second.process.kill('SIGTERM')
    expect(await second.process.ended).toEqual({ code: 0, signal: null })
  })

  test('all killed: a reader finds raw SQL by itself, within maxLag; when one is back the stream goes on', async () => {
    await warm('/v1/products/6')
    await house.invalidation.process.kill('SIGKILL')
    await house.sql('UPDATE product SET stock = 666 WHERE id = 6')
    await seenWithin(maxLagMs, async () => stockOf(await get('/v1/products/6')) === 666)
    // Also later: the reader reads the log for as long as nobody ships it.
    await eventually(async () => {
      const metrics = await house.read.get('/metrics')
      expect(metrics.text).toMatch(/tidemark_follower_lag_seconds\{[^}]*\} (0|1)(\.\d+)?\n/)
    })
    await house.start('invalidation')
    await warm('/v1/products/6')
    await house.sql('UPDATE product SET stock = 667 WHERE id = 6')
    await seenWithin(maxLagMs, async () => stockOf(await get('/v1/products/6')) === 667)
    await eventually(async () => {
      const present = (await status()).followers.filter(({ seenMsAgo }) => seenMsAgo < maxLagMs)
      expect(present).toMatchObject([{ mode: 'stream' }])
    })
  })
})
