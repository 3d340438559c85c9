/** One database, two regions: each has a Redis and readers of its own, and the log is shipped to both. */
import { followLog } from '@tidemark/log'
import { eventually, launchService, ownRedis, seenWithin } from '@tidemark/testkit'
import type { House, OwnServer, ServiceProcess } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startShop } from './fixture/shop.js'

const maxLagMs = 2_000
let far: OwnServer
let dead: OwnServer
let house: House
let there: ServiceProcess

beforeAll(async () => {
  far = await ownRedis()
  dead = await ownRedis()
  house = await startShop({
    env: { REDIS_SINKS: `far=${far.url},dead=${dead.url}`, CHECKPOINT_INTERVAL: '200ms' },
  })
  there = await house.start('read', { REDIS_URL: far.url })
})
afterAll(async () => {
  await house.stop()
  await far.remove()
  await dead.remove()
})

const stockOf = async (reader: ServiceProcess, path: string): Promise<number> =>
  (await reader.get(path)).json<{ stock: number }>().stock
const write = async (stock: number): Promise<void> => {
  await house.sql('UPDATE product SET stock = $1 WHERE id = 1', [stock])
}
test('raw SQL is seen in both regions, by readers that follow their own Redis', async () => {
  for (const reader of [house.read, there])
    await eventually(async () =>
      String((await reader.get('/v1/products/1')).headers['cache-status']).includes('hit'),
    )
  await write(101)
  await seenWithin(maxLagMs, async () => (await stockOf(house.read, '/v1/products/1')) === 101)
  await seenWithin(maxLagMs, async () => (await stockOf(there, '/v1/products/1')) === 101)
})

test('a reader that starts in the second region begins from a checkpoint there', async () => {
  await eventually(async () => {
    const tide = followLog({ redis: { redis: far.url, prefix: house.env['TIDEMARK_PREFIX']! } })
    await tide.start()
    const { startedFrom, applied } = tide.status()
    await tide.stop()
    expect(startedFrom).toBe('checkpoint')
    expect(applied).toBeGreaterThan(1)
  })
})

test('one region dead and one stopped: writes are answered, and the region at hand is shipped to as before', async () => {
  await dead.kill()
  await far.pause()
  try {
    for (let stock = 200; stock < 205; stock++) {
      await write(stock)
      await seenWithin(maxLagMs, async () => (await stockOf(house.read, '/v1/products/1')) === stock)
      const answer = await house.invalidation.send('POST', '/v1/invalidations', {
        json: { tags: ['product:2'], reason: 'a test' },
      })
      expect(answer.status).toBe(201)
      expect(answer.json<{ token: string | null }>().token).not.toBeNull()
    }
    expect((await house.invalidation.get('/readyz')).status).toBe(200)
    // Region 2 is not told by its Redis: its readers find out by themselves.
    await seenWithin(maxLagMs, async () => (await stockOf(there, '/v1/products/1')) === 204)
  } finally {
    await far.resume()
    await dead.start()
  }
  await eventually(
    async () => {
      const { sinks } = (await house.invalidation.get('/v1/status')).json<{
        sinks: { name: string; behind: number | null }[]
      }>()
      expect(sinks.map(({ name, behind }) => [name, behind])).toEqual([
        ['redis', 0],
        ['far', 0],
        ['dead', 0],
      ])
    },
    { timeoutMs: 20_000 },
  )
  await write(300)
  await seenWithin(maxLagMs, async () => (await stockOf(there, '/v1/products/1')) === 300)
})

test('a sink that is named wrongly is told at the start, without its password', async () => {
  const child = launchService('invalidation', { ...house.env, REDIS_SINKS: 'eu=http://u:secret@eu' })
  expect((await child.ended).code).toBe(1)
  expect(child.output()).toContain('REDIS_SINKS is (not shown): sink 1 (\\"eu\\"): must be a URL')
  expect(child.output()).not.toContain('secret')
})
