/** Many subscribers of one process. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createChangeFeed } from '@tidemark/log'
import type { LogDatabase } from '@tidemark/log'
import { createLogger } from '@tidemark/service'
import { eventually, redisSpace } from '@tidemark/testkit'
import { expect, onTestFinished, test } from 'vitest'

import { flusher, freshLog, startFollower } from '../../../packages/log/test/fixture/log-fixture.js'
import { createChangeStreams } from '../src/changes/change-streams.js'
import { subscribe } from './fixture/subscriber.js'

const until = { timeoutMs: 50_000 }

async function openStreams() {
  const log = await freshLog()
  const { url: redis, prefix } = redisSpace()
  const flush = flusher(log, [{ redis, prefix }])
  await flush.flush()
  const tide = await startFollower({ redis: { redis, prefix }, postgres: log.log })
  let queries = 0
  const counted: LogDatabase = {
    query: (...query) => {
      queries++
      return log.log.query(...query)
    },
  }
  const feed = createChangeFeed({ log: counted, tide })
  const streams = createChangeStreams({
    ...{ feed, tide, logger: createLogger({ name: 'test', level: 'silent' }) },
    ...{ subscribersMax: 1_000, heartbeatMs: 60_000, slowMs: 60_000 },
  })
  const server = createServer((_req, res) => {
    void streams.open(res, undefined, { resources: [], tags: [] })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    streams.stop()
    feed.stop()
    server.closeAllConnections()
    server.close()
  })
  return {
    ...{ log, flush, streams },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    queries: () => queries,
  }
}

test('500 subscribers get every change in order, and none of them costs a query', async () => {
  const { log, flush, url, queries, streams } = await openStreams()
  const subscribers = await Promise.all(Array.from({ length: 500 }, () => subscribe(url)))
  await eventually(() => subscribers.every(({ place }) => place !== ''), until)
  const keys = Array.from({ length: 100 }, (_, n) => String(n))
  for (const key of keys) {
    const text = `INSERT INTO tidemark.outbox (resource, key, operation, tags) VALUES ('product', $1, 'update', '{product}')`
    await log.query(text, [key])
    await flush.flush()
  }
  await eventually(() => subscribers.every((subscriber) => subscriber.keys.length === keys.length), until)
  for (const subscriber of subscribers) expect(subscriber.keys).toEqual(keys)
  expect(queries()).toBe(0)
  expect(streams.events.change).toBe(500 * keys.length)
})
