import { eventually, redisSpace } from '@tidemark/testkit'
import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'

import { freshLog } from './fixture/log-fixture.js'
import { isAfloat, maxLagMs, startPostgresLog } from './fixture/logs.js'

test('a write by raw SQL, with nobody flushing: seen within the bound', async () => {
  const { log, write } = await freshLog()
  const { url, prefix } = redisSpace()
  const live = await startPostgresLog({ postgres: log, redis: url, prefix })
  const before = live.follower.stamp()
  await write('product:1')
  const writtenAtMs = live.now().monoMs
  await eventually(() => (live.follower.provenAt?.monoMs ?? 0) > writtenAtMs)
  expect(isAfloat(live, before, 'product:1')).toBe(false)
})

test('one process that flushes now and then: all others follow by the stream', async () => {
  const { log, write } = await freshLog()
  const { url, prefix } = redisSpace()
  const flushing = await startPostgresLog({ postgres: log, redis: url, prefix, flushEveryMs: 10 })
  const live = await startPostgresLog({ postgres: log, redis: url, prefix })
  await eventually(() => live.status().mode === 'stream')
  const before = live.follower.stamp()
  const { pulls } = live.status().counters
  await write('product:1')
  await eventually(() => !isAfloat(live, before, 'product:1'), { timeoutMs: maxLagMs })
  expect(live.status().counters.pulls).toBe(pulls)
  await flushing.stop()
})

test('a pool will do, and stays its owner’s', async () => {
  const { url } = await freshLog()
  const pool = new pg.Pool({ connectionString: url })
  onTestFinished(() => pool.end())
  const live = await startPostgresLog({ postgres: pool })
  const token = await live.invalidate(['product:1'], 'a test')
  expect(live.follower.token).toEqual(token)
  expect((await live.invalidate([])).position).toBe(token.position)
  await live.stop()
  expect(
    (await pool.query('SELECT reason FROM tidemark.log, jsonb_to_recordset(changes) AS c(reason text)')).rows,
  ).toEqual(expect.arrayContaining([{ reason: 'a test' }]))
})

test('Redis away: an invalidation is in the log all the same, and its own process has heard of it', async () => {
  const { log } = await freshLog()
  const live = await startPostgresLog({ postgres: log, redis: 'redis://127.0.0.1:1', prefix: 'x' })
  const before = live.follower.stamp()
  const token = await live.invalidate(['product:1'])
  expect(await live.reach(token, 2_000)).toBe('reached')
  expect(isAfloat(live, before, 'product:1')).toBe(false)
})

test('starting more than once opens no more connections', async () => {
  const { log } = await freshLog()
  const { url, prefix } = redisSpace()
  let opened = 0
  const redis = (): Redis => {
    opened++
    return new Redis(url, { retryStrategy: () => null, enableOfflineQueue: false, lazyConnect: true })
  }
  const live = await startPostgresLog({ postgres: log, redis, prefix })
  await Promise.all([live.start(), live.start(), live.start()])
  await eventually(() => live.status().isStreamLive)
  // One to look where to begin, one to follow.
  expect(opened).toBe(2)
})
