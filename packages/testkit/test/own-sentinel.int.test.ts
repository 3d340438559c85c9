import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'

import { eventually, ownSentinel } from '../src/index.js'
import type { OwnSentinelOptions } from '../src/index.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function connected(options?: OwnSentinelOptions) {
  const set = await ownSentinel(options)
  closers.push(() => set.remove())
  const client = new Redis({
    sentinels: [...set.sentinels],
    name: set.name,
    // Above what WAIT below may take.
    commandTimeout: 2_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 20,
    sentinelRetryStrategy: () => 20,
  })
  client.on('error', () => undefined)
  closers.push(() => {
    client.disconnect()
  })
  await eventually(() => client.status === 'ready')
  return { set, client }
}

test('a fail-over makes the replica the master, with the data, and demotes the other', async () => {
  const { set, client } = await connected()
  const [old, next] = [await set.master(), await set.replica()]
  await client.set('x', 'here')
  await client.wait(1, 1_000)
  await set.failOver()
  expect(await set.master()).toBe(next)
  await eventually(async () => expect(await client.get('x')).toBe('here'), { timeoutMs: 20_000 })
  const demoted = new Redis(old.url)
  closers.push(() => {
    demoted.disconnect()
  })
  await eventually(async () => expect((await demoted.role())[0]).toBe('slave'), { timeoutMs: 20_000 })
})

test('a lost tail: what was acknowledged last is not on the new master', async () => {
  const { set, client } = await connected()
  await client.set('kept', 1)
  await client.wait(1, 1_000)
  await set.loseTail(async () => {
    expect(await client.set('lost', 1)).toBe('OK')
  })
  await eventually(async () => expect(await client.get('kept')).toBe('1'), { timeoutMs: 20_000 })
  expect(await client.get('lost')).toBeNull()
})

test('three Sentinels fail over by themselves when the master is killed', async () => {
  const { set, client } = await connected({ sentinels: 3 })
  expect(set.sentinels).toHaveLength(3)
  await (await set.master()).kill()
  await eventually(async () => (await client.set('x', 1)) === 'OK', { timeoutMs: 50_000 })
})
