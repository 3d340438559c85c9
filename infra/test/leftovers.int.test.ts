import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Redis } from 'ioredis'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'

import { startPostgresServer } from '../src/stores/postgres-server.js'
import { isAlive, stopProcess } from '../src/stores/process-control.js'
import { findCommand } from '../src/stores/redis-probes.js'
import { DURABLE_SETTINGS, startRedisServer } from '../src/stores/redis-server.js'
import type { Store } from '../src/stores/store.js'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tidemark-leftovers-'))
  await chmod(path, 0o711)
  closers.push(() => rm(path, { recursive: true, force: true }))
  return path
}

const ending = <T extends Store>(store: T): T => {
  closers.push(() => store.stop())
  return store
}

async function postgresIn(path: string, said: string[] = []) {
  const say = (line: string): unknown => said.push(line)
  return ending(
    await startPostgresServer({
      dataDir: join(path, 'pg'),
      logFile: join(path, 'pg.log'),
      syncOnCreate: false,
      say,
    }),
  )
}

async function redisIn(path: string, said: string[] = []) {
  const command = (await findCommand('redis-server')) ?? (await findCommand('valkey-server'))
  if (!command) return undefined
  const say = (line: string): unknown => said.push(line)
  const settings = { ...DURABLE_SETTINGS, appendfsync: 'always' }
  return ending(
    await startRedisServer({
      command,
      dataDir: join(path, 'redis'),
      logFile: join(path, 'redis.log'),
      settings,
      say,
    }),
  )
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 2_000,
    query_timeout: 5_000,
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

test('a Postgres left running by a crashed start is stopped cleanly and its data is there', async () => {
  const path = await folder()
  const left = await postgresIn(path)
  await query(left.url, 'CREATE UNLOGGED TABLE pulse (x int); INSERT INTO pulse VALUES (1)')
  const said: string[] = []
  const next = await postgresIn(path, said)
  expect(said).toContain(
    `Postgres: stopping the server that an earlier start left running (process ${String(left.pid)})`,
  )
  expect(await isAlive(left.pid)).toBe(false)
  expect(await query(next.url, 'TABLE pulse')).toHaveLength(1)
})

test('a Postgres killed in a crash is recovered, and the start says so', async () => {
  const path = await folder()
  const dead = await postgresIn(path)
  await query(dead.url, 'CREATE TABLE kept (x int)')
  await stopProcess(dead.pid, 'SIGKILL', 5_000)
  const said: string[] = []
  const next = await postgresIn(path, said)
  expect(said).toContain('Postgres: the last start ended without a clean stop; recovering')
  expect(await query(next.url, 'TABLE kept')).toEqual([])
})

test('a pid file that names a stranger leaves the stranger alone', async () => {
  const path = await folder()
  await (await postgresIn(path)).stop()
  await writeFile(join(path, 'pg', 'postmaster.pid'), `${String(process.pid)}\n`)
  const said: string[] = []
  const next = await postgresIn(path, said)
  expect(said.join()).toContain('removing a stale pid file')
  expect(await query(next.url, 'SELECT 1 AS x')).toEqual([{ x: 1 }])
})

test('a Redis left running by a crashed start is stopped cleanly and its data is there', async ({ skip }) => {
  const path = await folder()
  const left = await redisIn(path)
  if (!left) return skip('no Redis on the PATH')
  const writer = new Redis(left.url)
  writer.on('error', () => undefined)
  await writer.set('x', '1')
  writer.disconnect()
  const said: string[] = []
  const next = (await redisIn(path, said))!
  expect(said).toContain(
    `Redis: stopping the server that an earlier start left running (process ${String(left.pid)})`,
  )
  expect(await isAlive(left.pid)).toBe(false)
  const reader = new Redis(next.url)
  expect(await reader.get('x')).toBe('1')
  reader.disconnect()
})
