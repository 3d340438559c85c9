import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'

import { eventually, ownRedis } from '../src/index.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function connected(settings?: Record<string, string>) {
  const server = await ownRedis(settings)
  closers.push(() => server.remove())
  const client = new Redis(server.url, {
    commandTimeout: 200,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 20,
  })
  client.on('error', () => undefined)
  closers.push(() => {
    client.disconnect()
  })
  await eventually(() => client.status === 'ready')
  return { server, client }
}

test('a paused Redis answers nothing, and answers again when resumed', async () => {
  const { server, client } = await connected()
  await server.pause()
  await expect(client.ping()).rejects.toThrow('timed out')
  await server.resume()
  await eventually(async () => (await client.ping()) === 'PONG')
})

test('a killed Redis comes back empty on its port, and with its data when it kept an append-only file', async () => {
  for (const [settings, kept] of [
    [{}, null],
    [{ appendonly: 'yes', appendfsync: 'always' }, 'here'],
  ] as const) {
    const { server, client } = await connected(settings)
    const before = { url: server.url, pid: server.pid }
    await client.set('x', 'here')
    await server.kill()
    await eventually(() => client.status !== 'ready')
    await server.start()
    expect(server.url).toBe(before.url)
    expect(server.pid).not.toBe(before.pid)
    await eventually(async () => expect(await client.get('x')).toBe(kept))
  }
})

test('the shared and the own Redis evict as the cache wants it', async () => {
  const { client } = await connected()
  expect(await client.config('GET', 'maxmemory-policy')).toContain('volatile-lfu')
})
