import { redisSpace } from '@tidemark/testkit'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'

import { heatCardBounds, logKeys, readHeat, tellHeat } from '../src/index.js'

function open() {
  const { url, prefix } = redisSpace()
  const redis = new Redis(url)
  onTestFinished(() => {
    redis.disconnect()
  })
  return { redis, prefix }
}

const hot = (key: string, heat = 1) => ({ key, tags: [`tag:${key}`], heat })

test('each reader has one card, its last', async () => {
  const { redis, prefix } = open()
  await tellHeat(redis, { id: 'a', keys: [hot('/v1/x/1', 3)] }, prefix)
  await tellHeat(redis, { id: 'b', keys: [hot('/v1/x/2')] }, prefix)
  await tellHeat(redis, { id: 'a', keys: [hot('/v1/x/3', 2.5)] }, prefix)
  const cards = (await readHeat(redis, prefix)).sort((one, other) => (one.id < other.id ? -1 : 1))
  expect(cards).toEqual([
    { id: 'a', keys: [hot('/v1/x/3', 2.5)] },
    { id: 'b', keys: [hot('/v1/x/2')] },
  ])
})

test('a card holds no more than its bounds, whatever it is given', async () => {
  const { redis, prefix } = open()
  const many = Array.from({ length: heatCardBounds.keys * 3 }, (_, n) => hot(`/v1/x/${n}`))
  const keys = [
    hot(`/v1/${'x'.repeat(2_000)}`),
    { key: '/', tags: Array<string>(99).fill('t'), heat: 1 },
    ...many,
  ]
  await tellHeat(redis, { id: 'a', keys }, prefix)
  const [card] = await readHeat(redis, prefix)
  expect(card!.keys).toEqual(many.slice(0, heatCardBounds.keys))
})

test('the cards of silent readers are dropped, by the clock of Redis', async () => {
  const { redis, prefix } = open()
  await tellHeat(redis, { id: 'a', keys: [hot('/v1/x/1')] }, prefix)
  const { heat } = logKeys(prefix)
  expect(await redis.pttl(heat)).toBeGreaterThan(0)
  await redis.hset(heat, 'gone', `1000 ${JSON.stringify({ id: 'gone', keys: [] })}`)
  expect((await readHeat(redis, prefix)).map(({ id }) => id)).toEqual(['a'])
  expect(await redis.hkeys(heat)).toEqual(['a'])
})

test('what is no card of this version is passed over', async () => {
  const { redis, prefix } = open()
  await tellHeat(redis, { id: 'a', keys: [hot('/v1/x/1')] }, prefix)
  const { heat } = logKeys(prefix)
  const dated = String(await redis.hget(heat, 'a')).split(' ')[0]!
  await redis.hset(heat, 'b', `${dated} {"id":"b","keys":[["/k"],7,["/v1/y",["t"],1]]}`, 'c', `${dated} {}`)
  const cards = (await readHeat(redis, prefix)).filter(({ id }) => id !== 'a')
  expect(cards).toEqual([{ id: 'b', keys: [{ key: '/v1/y', tags: ['t'], heat: 1 }] }])
})
