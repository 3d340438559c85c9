import { eventually, faultProxy, ownRedis, redisSpace } from '@tidemark/testkit'
import { expect, onTestFinished, test } from 'vitest'

import { createSequencer, logKeys, redisSink } from '../src/index.js'
import {
  flusher,
  freshLog,
  keepFlushing,
  openLog,
  redisAt,
  restoreBackup,
  startFollower,
  streamIds,
} from './fixture/log-fixture.js'
import type { FollowerFixture } from './fixture/log-fixture.js'

const maxLagMs = 600

/** Whether the lag stayed within the bound at every look for `forMs`. */
async function staysProven(live: FollowerFixture, forMs: number): Promise<boolean> {
  const end = performance.now() + forMs
  let worst = 0
  await eventually(
    () => {
      worst = Math.max(worst, live.follower.lagMs(live.now()))
      return performance.now() > end
    },
    { timeoutMs: forMs + 2_000, everyMs: 2 },
  )
  return worst <= maxLagMs
}

const isProven = (live: FollowerFixture): boolean => live.follower.lagMs(live.now()) <= maxLagMs

const pastTheBound = (live: FollowerFixture): Promise<unknown> =>
  eventually(() => live.follower.lagMs(live.now()) > maxLagMs)

test('as long as somebody flushes, the stream alone proves the lag', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  keepFlushing(flush)
  const live = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
  await eventually(() => live.status().mode === 'stream')
  expect(await staysProven(live, 3 * maxLagMs)).toBe(true)
  expect(live.status().mode).toBe('stream')
})

test('nobody flushes: the lag is proven by reading the log, at a bounded pace', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const live = await startFollower({ redis: { redis: url, prefix }, postgres: log.log, maxLagMs })
  expect(await staysProven(live, 4 * maxLagMs)).toBe(true)
  expect(live.status().mode).toBe('postgres')
  expect(live.status().counters.pulls).toBeLessThan(14)
  await log.write('product:1')
  await eventually(() => live.follower.applied === 2, { timeoutMs: maxLagMs })
  expect(live.status().counters).toMatchObject({ applied: 1, rebased: 1 })
})

test('without any Redis a follower follows the log itself', async () => {
  const log = await freshLog()
  const live = await startFollower({ postgres: log.log, maxLagMs })
  expect(live.status()).toMatchObject({ mode: 'postgres', startedFrom: 'postgres', applied: 1 })
  await log.write('product:1')
  const head = await live.head(1_000)
  expect(head).toEqual({ term: 1, position: 2 })
  expect(await live.reach(head, 1_000)).toBe('reached')
  expect(live.follower.table.floorOf('product:1')).toBe(2)
})

test('with Postgres down a follower stays on the stream, and says nothing it cannot prove', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const proxy = await faultProxy(log.url)
  onTestFinished(() => proxy.close())
  const flush = flusher(log, [{ redis: url, prefix }])
  const end = keepFlushing(flush)
  const live = await startFollower({
    redis: { redis: url, prefix },
    postgres: openLog(proxy.url).log,
    postgresTimeoutMs: 100,
    maxLagMs,
  })
  await proxy.cut()
  await eventually(() => live.status().mode === 'stream')
  expect(await staysProven(live, 2 * maxLagMs)).toBe(true)
  await end()
  await pastTheBound(live)
  expect(live.status().mode).toBe('blind')
  await expect(live.head(300)).rejects.toMatchObject({ code: 'log.unreachable' })
  expect(await live.reach({ term: 1, position: 99 }, 300)).toBe('unreachable')
})

test('a message lost from the stream: the next link does not continue, and everything held before sinks', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const proxy = await faultProxy(url)
  onTestFinished(() => proxy.close())
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  const live = await startFollower({ redis: { redis: proxy.url, prefix }, maxLagMs })
  const rebased: number[] = []
  live.listen((event) => {
    if (event.kind === 'rebased') rebased.push(event.link.position)
  })
  await eventually(() => live.status().isStreamLive)
  const stamp = live.follower.stamp()!
  await proxy.cut()
  await log.write('product:1')
  await flush.flush()
  await log.write('product:2')
  await flush.flush()
  await redisAt(url).xdel(logKeys(prefix).log, '2-0')
  await proxy.heal()
  await eventually(() => live.follower.applied === 3)
  expect(rebased).toHaveLength(1)
  expect(live.follower.isAfloat(stamp, live.follower.table.locate(['product:7']))).toBe(false)
})

test('a stream trimmed past a reader that was away: it rebases', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const proxy = await faultProxy(url)
  onTestFinished(() => proxy.close())
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  const live = await startFollower({ redis: { redis: proxy.url, prefix }, maxLagMs })
  await eventually(() => live.status().isStreamLive)
  const stamp = live.follower.stamp()!
  await proxy.cut()
  for (let i = 0; i < 10; i++) {
    await log.write(`product:${i}`)
    await flush.flush()
  }
  await redisAt(url).xtrim(logKeys(prefix).log, 'MAXLEN', 2)
  await proxy.heal()
  await eventually(() => live.follower.applied === 11)
  expect(live.follower.table.base).toBe(10)
  expect(live.follower.isAfloat(stamp, live.follower.table.locate(['product:0']))).toBe(false)
})

test('a reader that was away while nothing was lost goes on where it was: nothing sinks', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const proxy = await faultProxy(url)
  onTestFinished(() => proxy.close())
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  const live = await startFollower({ redis: { redis: proxy.url, prefix }, maxLagMs })
  await eventually(() => live.status().isStreamLive)
  const stamp = live.follower.stamp()!
  await proxy.cut()
  for (let i = 0; i < 10; i++) {
    await log.write(`product:${i}`)
    await flush.flush()
  }
  await proxy.heal()
  await eventually(() => live.follower.applied === 11)
  expect(live.status().counters).toMatchObject({ applied: 10, rebased: 1 })
  expect(live.follower.isAfloat(stamp, live.follower.table.locate(['product:99']))).toBe(true)
})

test('FLUSHALL: the stream is rebuilt, the follower goes on, and is proven again', async () => {
  const log = await freshLog()
  const redis = await ownRedis()
  onTestFinished(() => redis.remove())
  const flush = flusher(log, [{ redis: redis.url }])
  for (let i = 0; i < 5; i++) {
    await log.write('product:1')
    await flush.flush()
  }
  const live = await startFollower({ redis: { redis: redis.url }, maxLagMs })
  await eventually(async () => {
    await flush.flush()
    return live.status().mode === 'stream'
  })
  for (let i = 0; i < 3; i++) await flush.flush()
  await redisAt(redis.url).flushall()
  await log.write('product:2')
  keepFlushing(flush)
  await eventually(() => live.follower.applied === 7)
  expect(live.status().counters.rebased).toBe(1)
  expect((await streamIds(redisAt(redis.url))).links).toHaveLength(7)
  await eventually(() => live.follower.lagMs(live.now()) < maxLagMs / 2)
})

test('FLUSHALL with nothing written since: heartbeats begin again below the cursor and are read all the same', async () => {
  const log = await freshLog()
  const redis = await ownRedis()
  onTestFinished(() => redis.remove())
  keepFlushing(flusher(log, [{ redis: redis.url }]))
  const live = await startFollower({ redis: { redis: redis.url }, maxLagMs })
  await eventually(async () => (await streamIds(redisAt(redis.url))).beats.includes('1-12'), { everyMs: 50 })
  await redisAt(redis.url).flushall()
  expect(await staysProven(live, 2 * maxLagMs)).toBe(true)
})

/** Replaces a stream by one that ends in this link and a heartbeat that would answer every ask. */
async function forge(url: string, prefix: string, live: FollowerFixture, position: number, mark: number) {
  const redis = redisAt(url)
  const keys = logKeys(prefix)
  const { term, nonce } = live.follower.epoch!
  const generation = (await redis.hget(keys.ask, 'g'))!
  const end = ['m', String(mark), 't', String(term), 'e', String(nonce)]
  await redis
    .multi()
    .del(keys.log)
    .xadd(keys.log, `${position}-0`, ...end, 'q', '1', 'k', '[]', 'c', '[]', 's', '0')
    .xadd(keys.log, `${position}-1`, ...end, 'g', generation, 'n', '999')
    .exec()
}

test('a heartbeat below what is applied proves nothing: that copy may be of another history', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  const { entries } = await flush.flush()
  await log.write('product:1')
  await flush.flush()
  const live = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
  await eventually(() => live.status().isStreamLive)
  await forge(url, prefix, live, 1, entries[0]!.mark)
  await eventually(() => live.status().counters.repeated >= 1)
  await pastTheBound(live)
  expect(live.follower.provenAt).toBeUndefined()
})

test('another mark at the own position is no news to follow: in one epoch it is another history', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await log.write('product:1')
  await flush.flush()
  const live = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
  await eventually(() => live.status().isStreamLive)
  const { link } = live.follower
  await forge(url, prefix, live, link.position, link.mark + 1)
  await eventually(() => live.status().counters.ignored >= 1)
  expect(live.follower.link).toEqual(link)
  expect(live.follower.provenAt).toBeUndefined()
})

test('a stream replaced by one that ends below the cursor is noticed, though the blocking read never wakes', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  for (let i = 0; i < 5; i++) {
    await log.write('product:1')
    await flush.flush()
  }
  const live = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
  expect(live.follower.applied).toBe(6)
  await restoreBackup(log, 2)
  await log.query('SELECT tidemark.new_epoch(0)')
  const adopted: number[] = []
  live.listen((event) => {
    if (event.kind === 'adopted') adopted.push(event.epoch.term)
  })
  await flush.flush()
  await eventually(() => live.follower.epoch?.term === 2)
  expect(adopted).toEqual([2])
  expect(live.follower.applied).toBe(3)
  await eventually(async () => {
    await flush.flush()
    return isProven(live)
  })
})

test('a heartbeat of another generation of the counter is no proof', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  const redis = redisAt(url)
  const live = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
  await eventually(() => live.status().isStreamLive)
  const { stream, ask } = { stream: logKeys(prefix).log, ask: logKeys(prefix).ask }
  const entry = (await redis.xrange(stream, '1-0', '1-0'))[0]![1]
  const field = (name: string): string => entry[entry.indexOf(name) + 1]!
  const generation = Number(await redis.hget(ask, 'g'))
  const beat = (g: number): string[] => [
    'm',
    field('m'),
    't',
    field('t'),
    'e',
    field('e'),
    'g',
    String(g),
    'n',
    '999',
  ]
  await redis.xadd(stream, '1-*', ...beat(generation + 1))
  await pastTheBound(live)
  expect(live.follower.provenAt).toBeUndefined()
  await redis.xadd(stream, '1-*', ...beat(generation))
  await eventually(() => isProven(live))
})

test('a counter lost between the count and the heartbeat: no heartbeat', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const redis = redisAt(url)
  const sequencer = createSequencer({ log: log.log })
  const flush = flusher(log, [{ redis: url, prefix }], {
    sequencer: {
      async sequence() {
        await redis.del(logKeys(prefix).ask)
        return sequencer.sequence()
      },
    },
  })
  await flush.flush()
  const sink = redisSink({ redis: url, prefix })
  onTestFinished(() => {
    sink.close()
  })
  await sink.count()
  await redis.hincrby(logKeys(prefix).ask, 'n', 5)
  await flush.flush()
  expect((await streamIds(redis, prefix)).beats).toEqual([])
})

test('N is read before the log is sequenced: what commits in between is not covered by that heartbeat', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const sequencer = createSequencer({ log: log.log })
  let afterSequencing = (): Promise<unknown> => Promise.resolve()
  const flush = flusher(log, [{ redis: url, prefix }], {
    sequencer: {
      async sequence() {
        const sequenced = await sequencer.sequence()
        await afterSequencing()
        return sequenced
      },
    },
  })
  await flush.flush()
  let live: FollowerFixture | undefined
  afterSequencing = async () => {
    await log.write('product:1')
    live = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
    await eventually(() => live!.status().isStreamLive)
  }
  await flush.flush()
  await pastTheBound(live!)
  expect(live!.follower.provenAt).toBeUndefined()
  afterSequencing = () => Promise.resolve()
  await flush.flush()
  await eventually(() => isProven(live!))
  expect(live!.follower.applied).toBe(2)
})

test('Redis killed and back: the lag stays proven by the log meanwhile, then by the stream again', async () => {
  const log = await freshLog()
  const redis = await ownRedis()
  onTestFinished(() => redis.remove())
  keepFlushing(flusher(log, [{ redis: redis.url }]))
  const live = await startFollower({ redis: { redis: redis.url }, postgres: log.log, maxLagMs })
  await eventually(() => live.status().mode === 'stream')
  const watching = staysProven(live, 5 * maxLagMs)
  await redis.kill()
  await log.write('product:1')
  await eventually(() => live.status().mode === 'postgres')
  await eventually(() => live.follower.applied === 2)
  expect(await watching).toBe(true)
  await redis.start()
  await eventually(() => live.status().mode === 'stream')
  expect(live.status().counters).toMatchObject({ rebased: 1 })
})

test('Redis hung: deadlines hold and the lag stays proven by the log, then by the stream again', async () => {
  const log = await freshLog()
  const redis = await ownRedis()
  onTestFinished(() => redis.remove())
  keepFlushing(flusher(log, [{ redis: redis.url }]))
  const live = await startFollower({ redis: { redis: redis.url }, postgres: log.log, maxLagMs })
  await eventually(() => live.status().mode === 'stream')
  const watching = staysProven(live, 5 * maxLagMs)
  await redis.pause()
  await log.write('product:1')
  await eventually(() => live.follower.applied === 2)
  await eventually(() => live.status().counters.reconnects > 1)
  expect(await watching).toBe(true)
  await redis.resume()
  await eventually(() => live.status().mode === 'stream')
  expect(live.status().counters).toMatchObject({ rebased: 1 })
})

test('a Redis cut off from whoever flushes gets no heartbeat: its readers go blind, or read the log', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const proxy = await faultProxy(url)
  onTestFinished(() => proxy.close())
  keepFlushing(flusher(log, [{ redis: proxy.url, prefix }]))
  const alone = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
  const both = await startFollower({ redis: { redis: url, prefix }, postgres: log.log, maxLagMs })
  await eventually(() => alone.status().mode === 'stream' && both.status().mode === 'stream')
  await proxy.cut()
  await log.write('product:1')
  await pastTheBound(alone)
  expect(alone.status()).toMatchObject({ mode: 'blind', isStreamLive: true, applied: 1 })
  expect(isProven(both)).toBe(true)
  expect(both.follower.applied).toBe(2)
})

const stream = (prefix: string): string => logKeys(prefix).log
const counter = (prefix: string): string => logKeys(prefix).ask
const poisons: [string, (prefix: string) => string[][]][] = [
  [
    'a stream key of another type',
    (p) => [
      ['DEL', stream(p)],
      ['SET', stream(p), 'x'],
    ],
  ],
  ['a stray entry', (p) => [['XADD', stream(p), '*', 'foo', 'bar']]],
  ['an entry whose fields are no numbers', (p) => [['XADD', stream(p), '*', 'm', 'abc', 't', 'x', 'e', 'y']]],
  [
    'an entry past 2^53',
    (p) => [['XADD', stream(p), '18446744073709551615-1', 'm', '1', 't', '1', 'e', '1']],
  ],
  ['a counter that is text', (p) => [['HSET', counter(p), 'n', 'abc']]],
  ['a counter that cannot go on', (p) => [['HSET', counter(p), 'n', '9223372036854775807']]],
  ['a generation that is text', (p) => [['HSET', counter(p), 'g', 'abc']]],
  ['a last heartbeat that is huge', (p) => [['HSET', counter(p), 'b', '1e300']]],
  ['a last heartbeat above the counter', (p) => [['HSET', counter(p), 'b', '99999999']]],
  ['a last heartbeat that is text', (p) => [['HSET', counter(p), 'b', 'zz']]],
  ['a counter key of another type', (p) => [['SET', counter(p), 'x']]],
]

test.each(poisons)('garbage at the keys of the log heals by itself: %s', async (_, commands) => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  keepFlushing(flush)
  const live = await startFollower({ redis: { redis: url, prefix }, maxLagMs })
  await eventually(() => live.status().mode === 'stream')
  const redis = redisAt(url)
  for (const [command, ...args] of commands(prefix)) await redis.call(command!, ...args)
  const poisonedAt = live.now()
  await log.write('product:1')
  expect(await live.reach({ term: 1, position: 2 }, 5_000)).toBe('reached')
  await eventually(() => (live.follower.provenAt?.monoMs ?? 0) > poisonedAt.monoMs + maxLagMs)
  expect(live.follower.epoch?.term).toBe(1)
  expect((await streamIds(redis, prefix)).links).toEqual(['1-0', '2-0'])
})

test('a Redis that answers asks but refuses reads is tried at a slowing pace', async () => {
  const log = await freshLog()
  const redis = await ownRedis()
  onTestFinished(() => redis.remove())
  keepFlushing(flusher(log, [{ redis: redis.url }]))
  await redisAt(redis.url).call('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '+@all', '-xread')
  const url = new URL(redis.url)
  url.username = 'reader'
  url.password = 'secret'
  const began = performance.now()
  const live = await startFollower({ redis: { redis: url.href }, maxLagMs })
  await eventually(() => live.status().counters.reconnects >= 6)
  expect(performance.now() - began).toBeGreaterThan(1_200)
})

test('what was asked on a connection that is gone proves nothing on the next', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const proxy = await faultProxy(url)
  onTestFinished(() => proxy.close())
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  const live = await startFollower({ redis: { redis: proxy.url, prefix }, maxLagMs: 60_000 })
  await eventually(() => live.status().isStreamLive)
  const askedBy = live.now()
  await proxy.cut()
  await eventually(() => !live.status().isStreamLive)
  await flush.flush()
  const healedAt = live.now()
  await proxy.heal()
  await eventually(() => live.status().isStreamLive)
  await flush.flush()
  await eventually(() => live.follower.provenAt !== undefined)
  expect(live.follower.provenAt!.monoMs).toBeGreaterThan(askedBy.monoMs)
  expect(live.follower.provenAt!.monoMs).toBeGreaterThanOrEqual(healedAt.monoMs)
})

test('a follower longer than a restored log does not prove itself by it: a new epoch begins', async () => {
  const log = await freshLog()
  const live = await startFollower({ postgres: log.log, maxLagMs: 60_000 })
  for (let i = 0; i < 4; i++) {
    await log.write('product:1')
    await live.pull()
  }
  const before = live.follower.provenAt
  await restoreBackup(log, 3)
  await expect(live.pull()).rejects.toMatchObject({ code: 'log.forked' })
  expect(live.follower.epoch?.term).toBe(2)
  expect(before).toBeDefined()
  expect(live.follower.provenAt).toBeUndefined()
  await live.pull()
  expect(live.follower.provenAt).toBeDefined()
})

test('a follower whose own link bears another mark in the log is told so by that mark', async () => {
  const log = await freshLog()
  const live = await startFollower({ postgres: log.log, maxLagMs: 60_000 })
  await log.write('product:1')
  await live.pull()
  await restoreBackup(log, 1)
  await log.write('product:2')
  await log.query('SELECT * FROM tidemark.sequence()')
  await log.write('product:3')
  await expect(live.pull()).rejects.toMatchObject({ code: 'log.forked' })
  expect(live.follower.epoch?.term).toBe(2)
})

test('a Postgres in an older term than the follower proves nothing', async () => {
  const old = await freshLog()
  const log = await freshLog()
  await log.query('SELECT tidemark.new_epoch(4)')
  const { url, prefix } = redisSpace()
  await flusher(log, [{ redis: url, prefix }]).flush()
  const live = await startFollower({ redis: { redis: url, prefix }, postgres: old.log, maxLagMs })
  await expect(live.pull()).rejects.toMatchObject({ code: 'log.behind' })
  expect(live.follower.provenAt).toBeUndefined()
  expect(live.follower.epoch?.term).toBe(5)
})

test('a head of a deposed primary is none: it covers nothing that was committed since', async () => {
  const old = await freshLog()
  const log = await freshLog()
  await log.query('SELECT tidemark.new_epoch(4)')
  const { url, prefix } = redisSpace()
  await flusher(log, [{ redis: url, prefix }]).flush()
  const live = await startFollower({
    redis: { redis: url, prefix },
    postgres: old.log,
    maxLagMs: 60_000,
    seed: 1,
  })
  await eventually(() => live.follower.epoch?.term === 5)
  await expect(live.head(1_000)).rejects.toMatchObject({ code: 'log.behind' })
  expect(live.follower.provenAt).toBeUndefined()
})

test('a head of another history is none: one new epoch begins, however many ask', async () => {
  const log = await freshLog()
  const live = await startFollower({ postgres: log.log, maxLagMs: 60_000 })
  await log.write('product:1')
  await live.pull()
  await restoreBackup(log, 1)
  const asked = await Promise.allSettled([live.head(1_000), live.pull(), live.head(1_000)])
  expect(asked[0]).toMatchObject({ status: 'rejected', reason: { code: 'log.forked' } })
  expect(live.follower.epoch?.term).toBe(2)
  expect((await live.head(1_000)).term).toBe(2)
})

test('a log trimmed past the follower: it rebases, and is proven', async () => {
  const log = await freshLog()
  const live = await startFollower({ postgres: log.log, maxLagMs: 60_000 })
  const stamp = live.follower.stamp()!
  for (let i = 0; i < 6; i++) {
    await log.write('product:1')
    await log.query('SELECT * FROM tidemark.sequence()')
  }
  await log.query(`SELECT tidemark.trim_log(3, '0 seconds')`)
  const head = await live.pull()
  expect(live.follower.applied).toBe(head.position)
  expect(live.follower.table.base).toBe(5)
  expect(live.follower.isAfloat(stamp, live.follower.table.locate(['product:9']))).toBe(false)
})

test('a token is waited for on the stream, read from the log, or refused as one of no log', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  const live = await startFollower({ redis: { redis: url, prefix }, postgres: log.log, maxLagMs: 60_000 })
  await eventually(() => live.status().isStreamLive)
  const streamOnly = await startFollower({ redis: { redis: url, prefix }, maxLagMs: 60_000 })
  const waiting = streamOnly.reach({ term: 1, position: 2 }, 5_000)
  await log.write('product:1')
  await flush.flush()
  expect(await waiting).toBe('reached')

  await log.write('product:1')
  const [sequenced] = await log.query('SELECT position FROM tidemark.sequence()')
  expect(await live.reach({ term: 1, position: Number(sequenced!['position']) }, 2_000)).toBe('reached')

  expect(await live.reach({ term: 1, position: 1_000_000 }, 2_000)).toBe('beyond-log')
  expect(await live.reach({ term: 9, position: 1 }, 2_000)).toBe('beyond-log')
  await log.query('SELECT tidemark.new_epoch(0)')
  const head = await live.head(1_000)
  expect(await live.reach(head, 2_000)).toBe('reached')
  expect(await live.reach({ term: 1, position: 1_000_000 }, 2_000)).toBe('history-lost')
})

test('stopping ends every wait, and a follower that stopped stays as it was', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const live = await startFollower({ redis: { redis: url, prefix }, maxLagMs: 60_000 })
  const waiting = live.reach({ term: 1, position: 9 }, 60_000)
  const began = performance.now()
  await live.stop()
  expect(await waiting).toBe('unreachable')
  expect(performance.now() - began).toBeLessThan(500)
  await log.write('product:1')
})

test('stopping does not wait for a Postgres that hangs', async () => {
  const log = await freshLog()
  const proxy = await faultProxy(log.url)
  onTestFinished(() => proxy.close())
  const live = await startFollower({ postgres: openLog(proxy.url).log, postgresTimeoutMs: 20_000, maxLagMs })
  const { pulls } = live.status().counters
  proxy.hang()
  await eventually(() => live.status().counters.pulls > pulls)
  const began = performance.now()
  await live.stop()
  expect(performance.now() - began).toBeLessThan(1_000)
  await proxy.cut()
})

test('a follower that finds no store starts all the same, and begins when one answers', async () => {
  const log = await freshLog()
  const redis = await ownRedis()
  onTestFinished(() => redis.remove())
  await redis.kill()
  const live = await startFollower({ redis: { redis: redis.url }, maxLagMs })
  expect(live.status().mode).toBe('adrift')
  await eventually(() => redis.start())
  keepFlushing(flusher(log, [{ redis: redis.url }]))
  await eventually(() => live.status().mode === 'stream')
})

test('a listener that throws is reported and disturbs nobody', async () => {
  const log = await freshLog()
  const live = await startFollower({ postgres: log.log })
  live.listen(() => {
    throw new Error('mine')
  })
  await log.write('product:1')
  await live.pull()
  expect(live.codes()).toEqual(['log.listener-failed'])
  expect(live.follower.applied).toBe(2)
})
