/** The channels of changes, by the services themselves. */
import { eventually } from '@tidemark/testkit'
import type { House } from '@tidemark/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startShop } from './fixture/shop.js'

const until = { timeoutMs: 20_000 }

let house: House
let redis: Redis
const texts: string[] = []
beforeAll(async () => {
  house = await startShop({ services: ['invalidation'] })
  redis = new Redis(house.env['REDIS_URL']!)
  redis.on('message', (_channel, text: string) => texts.push(text))
  await redis.subscribe(`${house.env['TIDEMARK_PREFIX']}:changes:product`)
})
afterAll(async () => {
  redis.disconnect()
  await house.stop()
})

const keysTold = (): (string | null)[] =>
  texts
    .flatMap((text) => (JSON.parse(text) as { changes?: { key: string | null }[] }).changes ?? [])
    .map(({ key }) => key)

test('two services tell each row once, also when the first is killed', async () => {
  const other = await house.start('invalidation')
  const touch = (id: number) => house.sql('UPDATE product SET stock = stock + 1 WHERE id = $1', [id])
  for (const id of [1, 2, 3]) {
    await touch(id)
    await eventually(() => keysTold().includes(String(id)), until)
  }
  await house.invalidation.process.kill('SIGKILL')
  for (const id of [4, 5]) {
    await touch(id)
    await eventually(() => keysTold().includes(String(id)), until)
  }
  expect(keysTold()).toEqual(['1', '2', '3', '4', '5'])
  expect(await other.metric('tidemark_channel_positions_total', { outcome: 'told' })).toBeGreaterThan(0)
  await other.process.kill('SIGTERM')
  expect(await other.process.ended).toEqual({ code: 0, signal: null })
})
