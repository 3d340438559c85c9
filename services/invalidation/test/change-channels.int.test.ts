/** Changes over Redis' pub/sub: each position once, or a reset. */
import { createLogger } from '@tidemark/service'
import { eventually, faultProxy, redisSpace } from '@tidemark/testkit'
import { requestClient } from '@tidemark/log'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'

import { flusher, freshLog, startFollower } from '../../../packages/log/test/fixture/log-fixture.js'
import { channelOf, createChangeChannels } from '../src/changes/change-channels.js'

const logger = createLogger({ name: 'test', level: 'silent' })
const until = { timeoutMs: 20_000 }

interface Message {
  readonly token: string
  readonly reset?: string
  readonly changes?: readonly { resource: string; key: string | null; tags: string[] }[] | null
}

async function openChannels() {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  /** One service, with a follower and a way to Redis of its own. */
  const service = async (redisUrl = url) => {
    const tide = await startFollower({ redis: { redis: url, prefix }, postgres: log.log })
    const redis = requestClient({ url: redisUrl, name: 'test' })
    onTestFinished(() => {
      redis.disconnect()
    })
    await eventually(async () => (await redis.ping()) === 'PONG', until)
    const channels = createChangeChannels({ redis, tide, prefix, logger, restMs: 20 })
    onTestFinished(() => channels.stop())
    return channels
  }
  const listen = async (resource?: string): Promise<Message[]> => {
    const redis = new Redis(url)
    onTestFinished(() => {
      redis.disconnect()
    })
    const messages: Message[] = []
    redis.on('message', (_channel, text: string) => messages.push(JSON.parse(text) as Message))
    await redis.subscribe(channelOf(prefix, resource))
    return messages
  }
  const write = async (resource: string, key: string | null, operation: string, ...tags: string[]) => {
    const text = `INSERT INTO tidemark.outbox (resource, key, operation, tags) VALUES ($1, $2, $3, $4)`
    await log.query(text, [resource, key, operation, tags])
    return (await flush.flush()).token
  }
  const admin = new Redis(url)
  onTestFinished(() => {
    admin.disconnect()
  })
  return { log, flush, service, listen, write, url, prefix, admin }
}

const keysOf = (messages: readonly Message[]): (string | null)[] =>
  messages.flatMap(({ changes }) => changes ?? []).map(({ key }) => key)
const resetsOf = (messages: readonly Message[]): (string | undefined)[] =>
  messages.filter(({ reset }) => reset !== undefined).map(({ reset }) => reset)

test('each position is told on the channel of all and on those of the resources that it touches', async () => {
  const { service, listen, write } = await openChannels()
  await service()
  const [all, products, brands] = await Promise.all([listen(), listen('product'), listen('brand')])
  await write('product', '1', 'update', 'product:1', 'product')
  await write('brand', '2', 'insert', 'brand:2', 'brand')
  await write('-', null, 'invalidate', 'brand!all', 's3:x')
  await eventually(() => {
    expect(keysOf(all)).toEqual(['1', '2', null])
    expect(keysOf(products)).toEqual(['1'])
    expect(keysOf(brands)).toEqual(['2', null])
  }, until)
})

test('what touches everything, and a new epoch, is told on every channel', async () => {
  const { log, flush, service, listen, write } = await openChannels()
  await service()
  const [all, products, brands] = await Promise.all([listen(), listen('product'), listen('brand')])
  await write('-', null, 'invalidate', '*')
  await log.query('SELECT tidemark.new_epoch()')
  await flush.flush()
  await eventually(() => {
    for (const messages of [all, products, brands])
      expect(messages.map(({ changes, reset }) => reset ?? changes?.[0]?.tags)).toEqual([['*'], 'epoch'])
  }, until)
})

test('three services tell each position once, and one that starts again tells nothing twice', async () => {
  const { service, listen, write } = await openChannels()
  const services = await Promise.all([service(), service(), service()])
  const all = await listen()
  const keys = Array.from({ length: 50 }, (_, n) => String(n))
  for (const key of keys) await write('product', key, 'update', `product:${key}`)
  await eventually(() => expect(keysOf(all)).toEqual(keys), until)
  await services[0]!.stop()
  await service()
  await write('product', 'last', 'update', 'product:last')
  await eventually(() => keysOf(all).includes('last'), until)
  expect(keysOf(all)).toEqual([...keys, 'last'])
  expect(resetsOf(all)).toEqual([])
})

test('positions that nobody told are a reset', async () => {
  const { service, listen, write } = await openChannels()
  const first = await service()
  const [all, products] = await Promise.all([listen(), listen('product')])
  await write('product', '1', 'update', 'product:1')
  await eventually(() => keysOf(all).length === 1, until)
  await first.stop()
  for (const key of ['2', '3']) await write('product', key, 'update', `product:${key}`)
  await service()
  await write('product', '4', 'update', 'product:4')
  await eventually(() => {
    for (const messages of [all, products]) {
      expect(keysOf(messages)).toEqual(['1', '4'])
      expect(messages.map(({ reset }) => reset)).toEqual([undefined, 'missed', undefined])
    }
  }, until)
})

test('while Redis is away they wait; when it forgot what was told there is a reset', async () => {
  const { service, listen, write, url, prefix, admin } = await openChannels()
  const proxy = await faultProxy(url)
  onTestFinished(() => proxy.close())
  const channels = await service(proxy.url)
  const all = await listen()
  await write('product', '1', 'update', 'product:1')
  await eventually(() => keysOf(all).length === 1, until)
  await proxy.cut()
  for (const key of ['2', '3']) await write('product', key, 'update', `product:${key}`)
  await eventually(() => channels.counts.failures > 0, until)
  await proxy.heal()
  await eventually(() => expect(keysOf(all)).toEqual(['1', '2', '3']), until)
  expect(resetsOf(all)).toEqual([])
  await admin.del(`{${prefix}}:told`)
  await write('product', '4', 'update', 'product:4')
  await eventually(() => expect(keysOf(all)).toEqual(['1', '2', '3', '4']), until)
  expect(resetsOf(all)).toEqual(['missed'])
})

test('what is too long for a message says that it is, and of which resource it was', async () => {
  const { service, listen, write } = await openChannels()
  await service()
  const [products, brands] = await Promise.all([listen('product'), listen('brand')])
  const many = (count: number) => Array.from({ length: count }, (_, n) => `product.categoryId=${n}`)
  // Longer than a message, and longer than what is shipped.
  for (const count of [1_000, 2_000]) await write('product', '1', 'update', ...many(count))
  await eventually(() => {
    expect(products.map(({ changes }) => changes)).toEqual([null, null])
  }, until)
  expect(brands).toEqual([])
})
