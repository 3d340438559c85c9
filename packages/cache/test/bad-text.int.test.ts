import { redisSpace } from '@tidemark/testkit'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createCache, createPrivateCache } from '../src/index.js'
import { keyNames } from '../src/l2/key-names.js'
import { handLog } from '../src/testing/index.js'
import { connectPatiently } from './real-redis.js'

// Half a surrogate pair is text to JavaScript and none to UTF-8, which says U+FFFD for every one of them.

const { url, prefix } = redisSpace()
let redis: Redis

beforeAll(async () => {
  redis = await connectPatiently(url)
})
afterAll(() => {
  redis.disconnect()
})

const names = Buffer.alloc(32, 3)
const keys = [{ id: 'k', key: Buffer.alloc(32, 1) }]

test.each([
  ['plain', {}],
  ['encrypted', { encrypt: { keys } }],
  ['with hashed names', { encrypt: { keys, names } }],
])('%s: two owners whose names are broken in different places are two owners', async (what, more) => {
  const follow = handLog()
  const namespace = `owners-${what.replaceAll(' ', '-')}`
  const process = () => createPrivateCache({ redis, prefix, namespace, follow, ...more })
  const [here, there] = [process(), process()]
  const [one, another] = ['ada\ud800', 'ada\ud801'] as const
  await here.for(one).put('basket', 'of one')
  expect(await there.for(another).get('basket')).toBeUndefined()
  expect(await there.for('ada\ufffd').get('basket')).toBeUndefined()
  expect(await there.for(one).get('basket')).toBe('of one')
})

test('no two keys have one name', () => {
  const nameOf = keyNames('n')
  const broken = [
    '\ud800',
    '\ud801',
    '\udc00',
    '\ufffd',
    'a\ud800',
    '\ud800\ud800',
    '\udc00\ud800',
    '\ud83d\ude00',
  ]
  const all = [...broken, ...broken.map(nameOf)]
  expect(new Set(all.map((key) => Buffer.from(nameOf(key)).toString('hex'))).size).toBe(new Set(all).size)
  expect(nameOf('product:42 \ud83d\ude00')).toBe('product:42 \ud83d\ude00')
})

test('a key that Redis cannot spell is deleted like any other, and is not listed under another name', async () => {
  const follow = handLog()
  const process = () => createCache({ redis, prefix, namespace: 'keys', follow })
  const [here, there] = [process(), process()]
  await here.put('k\ud800', 1)
  await here.put('k', 2)
  expect(await there.get('k\ud800')).toBe(1)
  const listed: string[] = []
  for await (const key of there.keys()) listed.push(key)
  expect(listed).toEqual(['k'])
  await here.delete('k\ud800')
  expect(await there.get('k\ud800')).toBeUndefined()
})

test('a tag that Redis cannot spell sinks its value in every process, also in one that knows it from Redis alone', async () => {
  const follow = handLog()
  const process = () => createCache({ redis, prefix, namespace: 'tags', follow })
  const [here, there] = [process(), process()]
  await here.put('k', 'old', { tags: ['t\ud800'] })
  await there.get('k')
  await here.invalidate(['t\ud800'])
  expect(here.peek('k')).toBeUndefined()
  expect(await there.get('k')).toBeUndefined()
})
