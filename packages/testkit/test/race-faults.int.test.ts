import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { ownRedis, raceFaults } from '../src/index.js'
import type { OwnServer } from '../src/index.js'

let server: OwnServer
let redis: Redis

beforeAll(async () => {
  server = await ownRedis()
  redis = new Redis(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await server.remove()
})

test('what was deleted is brought back, what was stored again is left alone', async () => {
  await redis.mset('gone', '1', 'changed', '1', 'other', '1')
  const bringBack = await raceFaults([server.url]).remember('g')
  await redis.del('gone', 'other')
  await redis.set('changed', '2')
  expect(await bringBack()).toBe(1)
  expect(await redis.mget('gone', 'changed', 'other')).toEqual(['1', '2', null])
})

test('writes are refused until they are allowed again; reads go on', async () => {
  const allow = await raceFaults([server.url]).refuseWrites()
  await expect(redis.set('refused', '1')).rejects.toThrow('NOREPLICAS')
  expect(await redis.get('refused')).toBeNull()
  await allow()
  expect(await redis.set('refused', '1')).toBe('OK')
})
