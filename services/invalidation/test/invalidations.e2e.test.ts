/** Invalidations from outside: what they reach, and that a repeated one is done once. */
import { randomUUID } from 'node:crypto'
import { createPool } from '@tidemark/database'
import { followLog, logDatabase } from '@tidemark/log'
import { eventually, faultProxy } from '@tidemark/testkit'
import type { House, ProblemBody, Received } from '@tidemark/testkit'
import { keyTag, namespaceTag } from '@tidemark/tide'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startShop } from './fixture/shop.js'

let house: House
beforeAll(async () => {
  house = await startShop({ services: ['invalidation'] })
})
afterAll(() => house.stop())

const post = (json: unknown, key?: string, path = '/v1/invalidations'): Promise<Received> =>
  house.invalidation.send('POST', path, {
    json,
    headers: key === undefined ? {} : { 'Idempotency-Key': key },
  })

/** Reasons that stand in the log, one for each change. */
async function logged(reason: string): Promise<number> {
  const rows = await house.sql(
    `SELECT 1 FROM tidemark.log, jsonb_array_elements(changes) c WHERE c ->> 'reason' = $1`,
    [reason],
  )
  return rows.length
}

describe('values of a cache that follows the log', () => {
  /** As a cache locates them: each depends on its namespace and its key. */
  async function openValues(namespace: string, keys: readonly string[]) {
    const pool = createPool({ url: house.env['DATABASE_URL']!, name: 'test', maxConnections: 2 })
    onTestFinished(() => pool.end())
    const redis = { redis: house.env['REDIS_URL']!, prefix: house.env['TIDEMARK_PREFIX']! }
    const tide = followLog({ redis, postgres: logDatabase(pool) })
    await tide.start()
    onTestFinished(() => tide.stop())
    const { follower } = tide
    const stamp = await eventually(() => follower.stamp() ?? null)
    return keys.map((key) => ({
      key,
      isAfloat: () =>
        follower.isAfloat(stamp, follower.table.locate([namespaceTag(namespace), keyTag(namespace, key)])),
    }))
  }
  const keys = ['user:1', 'user:2', 'order:1']

  test.each([
    ['keys', { keys: ['user:1'] }, ['!sessions:user:1'], ['user:1']],
    ['a prefix, for which all of it sinks', { prefix: 'user:' }, ['!sessions'], keys],
    ['all of it', {}, ['!sessions'], keys],
  ])('%s of its namespace sink, and nothing of another', async (_, what, tags, sunk) => {
    const [values, others] = [await openValues('sessions', keys), await openValues('others', keys)]
    const answer = await post({ namespace: 'sessions', ...what, reason: 'a test' })
    expect(answer.json()).toMatchObject({ tags })
    await eventually(() => {
      expect(values.filter((value) => !value.isAfloat()).map(({ key }) => key)).toEqual(sunk)
    })
    expect(others.every((value) => value.isAfloat())).toBe(true)
  })
})

test('resources stand for all of each', async () => {
  const answer = await post({ resources: ['product', 'brand'], tags: ['x'], reason: 'a test' })
  expect(answer.json()).toMatchObject({ tags: ['x', 'product!all', 'brand!all'] })
})

describe('a key makes it safe to repeat', () => {
  test('the same request is done once, and answered the same', async () => {
    const reason = randomUUID()
    const first = await post({ tags: ['x'], reason }, reason)
    const again = await post({ tags: ['x'], reason }, reason)
    expect([first.status, again.status]).toEqual([201, 201])
    expect(first.headers['idempotency-replayed']).toBeUndefined()
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect(again.json<{ tags: string[] }>().tags).toEqual(['x'])
    expect(await logged(reason)).toBe(1)
  })

  test('many at the same time: one is done', async () => {
    const reason = randomUUID()
    const answers = await Promise.all(Array.from({ length: 8 }, () => post({ tags: ['x'], reason }, reason)))
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true)
    const done = answers.filter(
      ({ status, headers }) => status === 201 && headers['idempotency-replayed'] === undefined,
    )
    expect(done).toHaveLength(1)
    expect(await logged(reason)).toBe(1)
  })

  test('another request under the key is refused, and another endpoint has keys of its own', async () => {
    const reason = randomUUID()
    await post({ tags: ['x'], reason }, reason)
    expect((await post({ tags: ['y'], reason }, reason)).status).toBe(422)
    const batch = { invalidations: [{ tags: ['y'], reason }] }
    expect((await post(batch, reason, '/v1/invalidations:batch')).status).toBe(201)
    expect(await logged(reason)).toBe(2)
  })

  test('while somebody holds its key a request is refused by name in time, and shipping goes on', async () => {
    const key = randomUUID()
    const scope = 'POST /v1/invalidations'
    const pool = createPool({ url: house.env['DATABASE_URL']!, name: 'test', maxConnections: 1 })
    onTestFinished(() => pool.end())
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query(
      `INSERT INTO idempotency_key (scope, key, request_hash, expires_at) VALUES ($1, $2, 'x', now() + interval '1 hour')`,
      [scope, key],
    )
    const body = { tags: ['product:1'], reason: 'held' }
    const waiting = Promise.all(Array.from({ length: 12 }, () => post(body, key)))
    await house.sql('UPDATE product SET stock = stock + 1 WHERE id = 1')
    await eventually(async () => (await house.sql('SELECT 1 FROM tidemark.waiting')).length === 0)
    const refused = (await waiting).filter(({ status }) => status === 409)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]!.json<ProblemBody>().errors).toMatchObject([{ field: 'Idempotency-Key' }])
    await client.query('ROLLBACK')
    client.release()
    expect((await post(body, key)).status).toBe(201)
    expect(await logged('held')).toBe(1)
  })

  test('a request that failed leaves its key free', async () => {
    const reason = randomUUID()
    await house.sql(
      `ALTER TABLE tidemark.outbox ADD CONSTRAINT of_this_test CHECK (reason <> '${reason}') NOT VALID`,
    )
    const failed = await post({ tags: ['x'], reason }, reason)
    await house.sql('ALTER TABLE tidemark.outbox DROP CONSTRAINT of_this_test')
    expect(failed.status).toBeGreaterThanOrEqual(500)
    expect((await post({ tags: ['x'], reason }, reason)).headers['idempotency-replayed']).toBeUndefined()
    expect(await logged(reason)).toBe(1)
  })
})

test('a batch is in the log as its parts, with one token that covers them all', async () => {
  const reason = randomUUID()
  const invalidations = Array.from({ length: 100 }, (_, i) => ({ tags: [`x:${i}`], reason }))
  const answer = await post({ invalidations }, undefined, '/v1/invalidations:batch')
  expect(answer.status).toBe(201)
  expect(answer.json<{ tags: string[] }>().tags).toHaveLength(100)
  expect(answer.headers['tidemark']).toMatch(/./)
  expect(await logged(reason)).toBe(100)
})

test('with Postgres away an invalidation is a 503 in time, and is taken when it is back', async () => {
  const proxy = await faultProxy(house.env['DATABASE_URL']!)
  onTestFinished(() => proxy.close())
  const behind = await house.start('invalidation', { DATABASE_URL: proxy.url })
  const send = (key?: string): Promise<Received> =>
    behind.send('POST', '/v1/invalidations', {
      json: { tags: ['x'], reason: 'a test' },
      headers: key === undefined ? {} : { 'Idempotency-Key': key },
    })
  await proxy.cut()
  for (const key of [undefined, randomUUID()]) {
    const refused = await send(key)
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1'])
  }
  await proxy.heal()
  await eventually(async () => (await send(randomUUID())).status === 201, { timeoutMs: 20_000 })
})
