import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, test } from 'vitest'

import { emptyDatabase, redisSpace } from '../src/index.js'

test('two empty databases do not see each other, and a dropped one is gone even while in use', async () => {
  const [one, two] = await Promise.all([emptyDatabase(), emptyDatabase()])
  const client = new pg.Client({ connectionString: one.url })
  client.on('error', () => undefined)
  await client.connect()
  await client.query('CREATE TABLE here (x int)')
  const other = new pg.Client({ connectionString: two.url })
  await other.connect()
  await expect(other.query('TABLE here')).rejects.toThrow('does not exist')
  await other.end()
  await one.drop()
  await two.drop()
  await expect(new pg.Client({ connectionString: one.url }).connect()).rejects.toThrow('does not exist')
  await client.end().catch(() => undefined)
})

test('two spaces on the shared Redis have prefixes of their own', async () => {
  const one = redisSpace()
  expect(one.prefix).not.toBe(redisSpace().prefix)
  const client = new Redis(one.url)
  expect(await client.config('GET', 'maxmemory-policy')).toContain('volatile-lfu')
  client.disconnect()
})
