import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'

import { eventually, faultProxy, redisSpace } from '../src/index.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function behindProxy() {
  const { url, prefix } = redisSpace()
  const proxy = await faultProxy(url)
  const client = new Redis(proxy.url, { maxRetriesPerRequest: 0, retryStrategy: () => 20 })
  client.on('error', () => undefined)
  closers.push(
    () => {
      client.disconnect()
    },
    () => proxy.close(),
  )
  const direct = new Redis(url)
  closers.push(() => {
    direct.disconnect()
  })
  await eventually(() => client.status === 'ready')
  return { proxy, client, direct, key: `${prefix}:x` }
}

const within = (answer: Promise<unknown>, ms: number): Promise<unknown> =>
  Promise.race([answer, new Promise((resolve) => setTimeout(resolve, ms, 'silent'))])

test('a cut resets the connection and refuses new ones until healed', async () => {
  const { proxy, client } = await behindProxy()
  await proxy.cut()
  await eventually(() => client.status !== 'ready')
  const other = new Redis(proxy.url, { lazyConnect: true, retryStrategy: () => null })
  const errors: NodeJS.ErrnoException[] = []
  other.on('error', (error: NodeJS.ErrnoException) => errors.push(error))
  await expect(other.connect()).rejects.toThrow()
  expect(errors[0]?.code).toBe('ECONNREFUSED')
  await proxy.heal()
  await eventually(() => client.status === 'ready')
  expect(await client.ping()).toBe('PONG')
})

test('a hang holds requests back on old connections and new, and heals into late delivery', async () => {
  const { proxy, client, direct, key } = await behindProxy()
  proxy.hang()
  const write = client.set(key, 'late')
  expect(await within(write, 100)).toBe('silent')
  expect(await direct.get(key)).toBeNull()
  const other = new Redis(proxy.url, { retryStrategy: () => null })
  closers.push(() => {
    other.disconnect()
  })
  const answer = other.ping()
  expect(await within(answer, 100)).toBe('silent')
  await proxy.heal()
  expect(await write).toBe('OK')
  expect(await answer).toBe('PONG')
  expect(await direct.get(key)).toBe('late')
})

test('held answers: requests go through and are not answered, a subscription still hears', async () => {
  const { proxy, client, direct, key } = await behindProxy()
  const heard: string[] = []
  const subscriber = new Redis(proxy.url)
  closers.push(() => {
    subscriber.disconnect()
  })
  subscriber.on('message', (_, message) => heard.push(message))
  await subscriber.subscribe(key)
  proxy.holdAnswers()
  const write = client.set(key, 'written')
  await eventually(async () => (await direct.get(key)) === 'written')
  await direct.publish(key, 'news')
  await eventually(() => heard.includes('news'))
  expect(await within(write, 100)).toBe('silent')
  await proxy.heal()
  expect(await write).toBe('OK')
})
