import { createServer } from 'node:net'

import { expect, test } from 'vitest'

import { freePort } from '../src/stores/free-port.js'
import { reachPostgres, reachRedis } from '../src/stores/store-url.js'

test('a store that is not there is told in one line with variable, host and port, and never the password', async () => {
  const port = await freePort()
  const place = `127.0.0.1:${String(port)}`
  const postgres: unknown = await reachPostgres('DATABASE_URL', `postgres://me:hunter2@${place}/db`).catch(
    (e: unknown) => e,
  )
  expect(postgres).toMatchObject({
    code: 'url_unreachable',
    message: `DATABASE_URL: no Postgres to be used at ${place} (ECONNREFUSED)`,
  })
  const redis: unknown = await reachRedis('REDIS_URL', `redis://:hunter2@${place}`).catch((e: unknown) => e)
  expect(redis).toMatchObject({
    code: 'url_unreachable',
    message: `REDIS_URL: no Redis to be used at ${place} (ECONNREFUSED)`,
  })
})

test('a store that takes the connection and never answers is given up within a bound', async () => {
  const mute = createServer()
  const port = await freePort()
  await new Promise<void>((resolve) => mute.listen(port, '127.0.0.1', resolve))
  await expect(reachRedis('REDIS_URL', `redis://127.0.0.1:${String(port)}`, 300)).rejects.toThrow(
    'REDIS_URL: no Redis',
  )
  await expect(reachPostgres('DATABASE_URL', `postgres://127.0.0.1:${String(port)}/db`, 300)).rejects.toThrow(
    'DATABASE_URL: no',
  )
  mute.close()
})

test('text that is no URL of the store is refused with an example, and is not repeated', async () => {
  for (const text of ['localhost:5432', 'http://x', 'hunter2', 'postgres://']) {
    await expect(reachPostgres('DATABASE_URL', text)).rejects.toThrow(
      'DATABASE_URL is not a URL of the form postgres://user@host:5432/database',
    )
  }
  await expect(reachRedis('REDIS_URL', 'postgres://x')).rejects.toThrow(
    'REDIS_URL is not a URL of the form redis://host:6379',
  )
})
