import { readHeat, requestClient } from '@tidemark/log'
import type { HotKey } from '@tidemark/log'
import { eventually, loseEverything, ownRedis } from '@tidemark/testkit'
import { expect, onTestFinished, test } from 'vitest'

import { heatTeller } from '../src/heat/heat-teller.js'

const hot = (key: string, heat: number): HotKey => ({ key, tags: ['t'], heat })

test('what is hot is told when it changes, and again now and then so that the reader is not taken for gone', async () => {
  const server = await ownRedis()
  onTestFinished(() => server.remove())
  const redis = requestClient({ url: server.url, name: 'heat-test' })
  onTestFinished(() => {
    redis.disconnect()
  })
  await eventually(() => redis.status === 'ready')
  let nowMs = 0
  let keys = [hot('/v1/products/1', 41.2)]
  const tell = heatTeller({ redis, prefix: 'heat-test', id: 'a', hottest: () => keys, now: () => nowMs })
  const told = async () => (await readHeat(redis, 'heat-test')).flatMap((card) => card.keys)

  await tell()
  expect(await told()).toEqual([hot('/v1/products/1', 40)])

  // Whether it is written again shows where the card has been lost meanwhile.
  await loseEverything(server.url)
  keys = [hot('/v1/products/1', 43.9)]
  nowMs += 4_000
  await tell()
  expect(await told()).toEqual([])
  nowMs += 1_000
  await tell()
  expect(await told()).toEqual([hot('/v1/products/1', 40)])

  keys = [hot('/v1/products/2', 7), hot('/v1/products/1', 1)]
  await tell()
  expect(await told()).toEqual(keys)
  keys = []
  await tell()
  expect(await told()).toEqual([])
})
