/** Servers that lose what others have seen: a value that was read from a lost history is never afloat again. */
import { migrate } from '@tidemark/database'
import { eventually, ownPostgres, ownSentinel, redisSpace } from '@tidemark/testkit'
import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'

import {
  flusher,
  freshLog,
  keepFlushing,
  openLog,
  redisAt,
  startFollower,
  streamIds,
} from './fixture/log-fixture.js'
import type { FollowerFixture } from './fixture/log-fixture.js'

const patience = { timeoutMs: 30_000 }
const maxLagMs = 2_000

/** Whether a value read at `stamp` may be served: not only its place, also the follower's own proof counts. */
const isServed = (
  { follower, now }: FollowerFixture,
  stamp: ReturnType<FollowerFixture['follower']['stamp']>,
  tag: string,
): boolean =>
  stamp !== undefined &&
  follower.isAfloat(stamp, follower.table.locate([tag])) &&
  follower.lagMs(now()) <= maxLagMs

test('Sentinel promotes a replica that lacks the stream`s tail: the rest is shipped again, and nothing that the tail sank rises', async () => {
  const set = await ownSentinel()
  onTestFinished(() => set.remove())
  const client = new Redis({ sentinels: set.sentinels.map((one) => ({ ...one })), name: set.name })
  client.on('error', () => undefined)
  onTestFinished(() => {
    client.disconnect()
  })
  const log = await freshLog()
  const flush = flusher(log, [{ redis: client }])
  await log.write('product:1')
  await flush.flush()
  const live = await startFollower({ redis: { redis: client }, maxLagMs })
  await eventually(() => live.status().mode === 'stream' || flush.flush().then(() => false), patience)
  const before = live.follower.stamp()
  let tail = 0
  await set.loseTail(async () => {
    for (let i = 0; i < 5; i++) {
      await log.write('product:1')
      tail = (await flush.flush()).token.position
    }
    await eventually(() => live.follower.applied === tail)
  })
  const promoted = (await set.master()).url
  expect((await streamIds(redisAt(promoted))).links.at(-1)).not.toBe(`${tail}-0`)

  // Somebody who starts on the new master, before anything is shipped to it, does not know of the tail.
  const late = await startFollower({ redis: { redis: promoted }, maxLagMs })
  expect(isServed(late, before, 'product:1')).toBe(false)
  keepFlushing(flush)
  await eventually(() => {
    for (const one of [live, late]) {
      expect(one.follower.applied).toBe(tail)
      expect(one.follower.lagMs(one.now())).toBeLessThan(maxLagMs)
    }
  }, patience)
  expect((await streamIds(redisAt(promoted))).links.at(-1)).toBe(`${tail}-0`)
  for (const one of [live, late]) expect(isServed(one, before, 'product:1')).toBe(false)
  expect(live.follower.epoch?.term).toBe(1)
  expect(isServed(live, live.follower.stamp(), 'product:1')).toBe(true)
}, 120_000)

test('Postgres crashes and loses a commit that was not flushed, though it was read: what was read is never served again', async () => {
  const postgres = await ownPostgres({ autovacuum: 'off' })
  onTestFinished(() => postgres.remove())
  await migrate(postgres.url)
  const log = openLog(postgres.url)
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await log.query('CREATE TABLE stock (n int)')
  await log.query('INSERT INTO stock VALUES (1)')
  await flush.flush()
  const endFlushing = keepFlushing(flush)
  const live = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
  const stockNow = async (): Promise<unknown> => (await log.query('SELECT n FROM stock'))[0]?.['n']
  await eventually(() => live.status().mode === 'stream')
  await endFlushing()

  // Who else would flush the commit, sooner or later.
  const [writer] = await log.query(`SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'`)
  const walWriter = Number(writer?.['pid'])
  process.kill(walWriter, 'SIGSTOP')
  onTestFinished(() => {
    try {
      process.kill(walWriter, 'SIGKILL')
    } catch {
      // It is gone already, as it should be.
    }
  })
  const loose = new pg.Client({ connectionString: postgres.url })
  loose.on('error', () => undefined)
  await loose.connect()
  await loose.query('SET synchronous_commit = off')
  await loose.query('UPDATE stock SET n = 2')
  const stamp = live.follower.stamp()
  expect(await stockNow()).toBe(2)
  expect(isServed(live, stamp, 'stock')).toBe(true)

  await postgres.kill()
  process.kill(walWriter, 'SIGKILL')
  await postgres.start()
  expect(await eventually(stockNow, patience)).toBe(1)
  keepFlushing(flush)
  await eventually(() => live.follower.epoch?.term === 2, patience)
  expect(isServed(live, stamp, 'stock')).toBe(false)
  await eventually(() => isServed(live, live.follower.stamp(), 'stock'), patience)
  expect(isServed(live, stamp, 'stock')).toBe(false)
}, 120_000)
