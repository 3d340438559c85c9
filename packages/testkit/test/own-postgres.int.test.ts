import pg from 'pg'
import { afterEach, expect, test } from 'vitest'

import { eventually, ownPostgres } from '../src/index.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 500, query_timeout: 2_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function started() {
  const server = await ownPostgres()
  closers.push(() => server.remove())
  return server
}

test('a Postgres killed with SIGKILL recovers on its port, keeps logged rows and empties unlogged ones', async () => {
  const server = await started()
  const { url, pid } = server
  await query(url, 'CREATE TABLE kept (x int); CREATE UNLOGGED TABLE pulse (x int)')
  await query(url, 'INSERT INTO kept VALUES (1); INSERT INTO pulse VALUES (1)')
  await server.kill()
  await expect(query(url, 'SELECT 1')).rejects.toThrow()
  await server.start()
  expect(server.url).toBe(url)
  expect(server.pid).not.toBe(pid)
  expect(await query(url, 'TABLE kept')).toHaveLength(1)
  expect(await query(url, 'TABLE pulse')).toHaveLength(0)
})

test('a clean stop keeps unlogged rows, so that only a crash looks like one', async () => {
  const server = await started()
  await query(server.url, 'CREATE UNLOGGED TABLE pulse (x int); INSERT INTO pulse VALUES (1)')
  await server.stop()
  await server.start()
  expect(await query(server.url, 'TABLE pulse')).toHaveLength(1)
})

test('a paused Postgres answers neither old nor new connections, until resumed', async () => {
  const server = await started()
  const client = new pg.Client({ connectionString: server.url, query_timeout: 300 })
  client.on('error', () => undefined)
  closers.push(() => client.end())
  await client.connect()
  await server.pause()
  await expect(client.query('SELECT 1')).rejects.toThrow('timeout')
  await expect(query(server.url, 'SELECT 1')).rejects.toThrow('timeout')
  await server.resume()
  await eventually(() => query(server.url, 'SELECT 1'))
})

test('durability is at its defaults unless a test asks otherwise', async () => {
  const server = await started()
  expect(await query(server.url, 'SHOW fsync')).toEqual([{ fsync: 'on' }])
  expect(await query(server.url, 'SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }])
})
