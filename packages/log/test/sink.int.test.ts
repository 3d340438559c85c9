import { eventually, ownRedis, redisSpace } from '@tidemark/testkit'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'

import { createLogReader, logKeys, readEpoch, redisSink } from '../src/index.js'
import { flusher, freshLog, redisAt, restoreBackup, startFollower, streamIds } from './fixture/log-fixture.js'
import type { LogFixture } from './fixture/log-fixture.js'

const termOf = async ({ query }: LogFixture): Promise<unknown> =>
  (await query('SELECT term FROM tidemark.clock'))[0]?.['term']

test('a sink in a higher term than the log is not written to, and the alarm says what to do', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const newer = await freshLog()
  await newer.query('SELECT tidemark.new_epoch(6)')
  await flusher(newer, [{ redis: url, prefix }]).flush()
  const redis = redisAt(url)
  const before = await redis.xrange(logKeys(prefix).log, '-', '+')

  const flush = flusher(log, [{ redis: url, prefix }])
  await log.write('product:1')
  expect((await flush.flush()).shipped).toBe(false)
  expect(flush.codes()).toEqual(['log.sink-ahead'])
  expect(flush.errors[0]!.message).toContain('new_epoch(7)')
  expect(await redis.xrange(logKeys(prefix).log, '-', '+')).toEqual(before)

  await log.query('SELECT tidemark.new_epoch(7)')
  await eventually(async () => (await flush.flush()).shipped)
})

test('a log restored from a backup, shorter than the sink, begins a new epoch and resets the sink', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  for (let i = 0; i < 5; i++) {
    await log.write('product:1')
    await flush.flush()
  }
  await restoreBackup(log, 3)
  const live = await startFollower({ redis: { redis: url, prefix } })
  expect(live.follower.applied).toBe(6)
  expect((await flush.flush()).shipped).toBe(true)
  expect(await termOf(log)).toBe(2)
  expect((await streamIds(redisAt(url), prefix)).links).toEqual(['4-0'])
  await eventually(() => live.follower.epoch?.term === 2)
  expect(live.follower.table.base).toBe(4)
})

test('a log restored from a backup that has grown past the sink again is told by the mark', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await log.write('product:1')
  await flush.flush()
  await restoreBackup(log, 1)
  await log.write('product:2')
  await log.query('SELECT * FROM tidemark.sequence()')
  await log.write('product:3')
  await flush.flush()
  expect(await termOf(log)).toBe(2)
})

test('one loss seen by many begins one epoch', async () => {
  const log = await freshLog()
  const seen = await readEpoch(log.log)
  const holder = new pg.Client({ connectionString: log.url })
  await holder.connect()
  onTestFinished(() => holder.end())
  await holder.query('BEGIN')
  await holder.query('SELECT FROM tidemark.clock FOR UPDATE')
  const reader = createLogReader(log.log, 10_000)
  const beginning = Array.from({ length: 3 }, () => reader.newEpoch(seen, seen.term))
  const waiting = `SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`
  await eventually(async () => (await log.query(waiting)).length === beginning.length)
  await holder.query('COMMIT')
  const begun = await Promise.all(beginning)
  expect(begun.filter((head) => head !== undefined)).toHaveLength(1)
  expect(await termOf(log)).toBe(seen.term + 1)
})

test('another history of the same term is not continued: a new epoch begins above it', async () => {
  const { url, prefix } = redisSpace()
  const other = await freshLog()
  await flusher(other, [{ redis: url, prefix }]).flush()
  const log = await freshLog()
  expect((await flusher(log, [{ redis: url, prefix }]).flush()).shipped).toBe(true)
  expect(await termOf(log)).toBe(2)
})

test('a new epoch that lost what the sink has resets the sink at the epoch row', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  for (let i = 0; i < 4; i++) {
    await log.write('product:1')
    await flush.flush()
  }
  await restoreBackup(log, 2)
  await log.query('SELECT tidemark.new_epoch(0)')
  await log.write('product:1')
  expect((await flush.flush()).shipped).toBe(true)
  expect((await streamIds(redisAt(url), prefix)).links).toEqual(['3-0', '4-0'])
  expect(flush.codes()).toEqual([])
})

test('a new epoch that lost nothing goes on behind the old one', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  await log.query('SELECT tidemark.new_epoch(0)')
  expect((await flush.flush()).shipped).toBe(true)
  expect((await streamIds(redisAt(url), prefix)).links).toEqual(['1-0', '2-0'])
})

test('a sink older than the oldest position kept is rebuilt', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  for (let i = 0; i < 6; i++) {
    await log.write('product:1')
    await log.query('SELECT * FROM tidemark.sequence()')
  }
  await log.query(`SELECT tidemark.trim_log(3, '0 seconds')`)
  expect((await flush.flush()).shipped).toBe(true)
  expect((await streamIds(redisAt(url), prefix)).links).toEqual(['5-0', '6-0', '7-0'])
  expect(flush.codes()).toEqual([])
})

test('a sink whose last entries were deleted is rebuilt, for it cannot be continued', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  for (let i = 0; i < 3; i++) {
    await log.write('product:1')
    await flush.flush()
  }
  const redis = redisAt(url)
  await redis.xdel(logKeys(prefix).log, '4-0', '3-0')
  expect((await flush.flush()).shipped).toBe(true)
  expect((await streamIds(redis, prefix)).links).toEqual(['1-0', '2-0', '3-0', '4-0'])
  await redis.xtrim(logKeys(prefix).log, 'MAXLEN', 0)
  await log.write('product:1')
  expect((await flush.flush()).shipped).toBe(true)
  expect((await streamIds(redis, prefix)).links).toHaveLength(5)
})

test('a stream that ends in something foreign is rebuilt', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  const redis = redisAt(url)
  await redis.xadd(logKeys(prefix).log, '9-0', 'hello', 'world')
  expect((await flush.flush()).shipped).toBe(true)
  expect((await streamIds(redis, prefix)).links).toEqual(['1-0'])
})

test('a rebuild is refused if the stream moved since the caller looked', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  const { entries } = await flush.flush()
  await log.write('product:1')
  await flush.flush()
  const sink = redisSink({ redis: url, prefix })
  onTestFinished(() => {
    sink.close()
  })
  const { position, mark } = entries[0]!
  const answer = await sink.put({ mode: 'reset', after: { position, mark }, entries })
  expect(answer).toMatchObject({ said: 'elsewhere', end: { link: { position: 2 } } })
  expect((await streamIds(redisAt(url), prefix)).links).toEqual(['1-0', '2-0'])
})

test('a run that skips a link is not appended: the sink says where it ends', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  await flusher(log, [{ redis: url, prefix }]).flush()
  for (const tag of ['product:1', 'product:2']) {
    await log.write(tag)
    await log.query('SELECT * FROM tidemark.sequence()')
  }
  const [first, second] = await createLogReader(log.log).from(2, 2)
  const sink = redisSink({ redis: url, prefix })
  onTestFinished(() => {
    sink.close()
  })
  const after = { position: first!.position, mark: first!.mark }
  const answer = await sink.put({ mode: 'append', after, entries: [second!] })
  expect(answer).toMatchObject({ said: 'elsewhere', end: { link: { position: 1 } } })
  expect((await streamIds(redisAt(url), prefix)).links).toEqual(['1-0'])
})

test('a run with a hole is not appended, nor does it replace anything', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  await flusher(log, [{ redis: url, prefix }]).flush()
  for (const tag of ['product:1', 'product:2', 'product:3']) {
    await log.write(tag)
    await log.query('SELECT * FROM tidemark.sequence()')
  }
  const [start, first, , third] = await createLogReader(log.log).from(1, 4)
  const sink = redisSink({ redis: url, prefix })
  onTestFinished(() => {
    sink.close()
  })
  for (const mode of ['append', 'reset'] as const) {
    const answer = await sink.put({ mode, after: start, entries: [first!, third!] })
    expect(answer).toMatchObject({ said: 'elsewhere', end: { link: { position: 1 } } })
  }
  expect((await streamIds(redisAt(url), prefix)).links).toEqual(['1-0'])
})

test('a run whose first links are there already ships only the rest', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [])
  const made = (await flush.flush()).entries.slice()
  for (let i = 0; i < 3; i++) {
    await log.write('product:1')
    made.push(...(await flush.flush()).entries)
  }
  const sink = redisSink({ redis: url, prefix })
  onTestFinished(() => {
    sink.close()
  })
  await sink.put({ mode: 'reset', after: undefined, entries: made.slice(0, 2) })
  const after = { position: 0, mark: made[0]!.previousMark }
  expect(await sink.put({ mode: 'append', after, entries: made })).toMatchObject({ said: 'shipped' })
  expect((await streamIds(redisAt(url), prefix)).links).toEqual(['1-0', '2-0', '3-0', '4-0'])
})

test('a stream lost without its counter is answered again with a heartbeat', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const redis = redisAt(url)
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  await redis.hincrby(logKeys(prefix).ask, 'n', 1)
  await flush.flush()
  await redis.del(logKeys(prefix).log)
  await flush.flush()
  expect(await streamIds(redis, prefix)).toEqual({ links: ['1-0'], beats: ['1-1'] })
})

test('an entry too large for the stream loses its details, never its tags', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  const live = await startFollower({ redis: { redis: url, prefix } })
  const abridged: boolean[] = []
  live.listen((event) => {
    if (event.kind === 'applied') abridged.push(event.entry.isAbridged && event.entry.changes.length === 0)
  })
  await log.query(`INSERT INTO tidemark.outbox (resource, operation, tags, trace)
    SELECT 'product', 'update', ARRAY['product:' || i], repeat('x', 1000) FROM generate_series(1, 400) i`)
  const { token, entries } = await flush.flush()
  expect(entries[0]!.changes).toHaveLength(400)
  expect(await live.reach(token, 2_000)).toBe('reached')
  expect(abridged).toEqual([true])
  expect(live.follower.table.floorOf('product:400')).toBe(token.position)
})

test('positions near 2^53 survive the script', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  await log.query('SELECT * FROM tidemark.sequence()')
  const high = 2 ** 53 - 10
  await log.query('UPDATE tidemark.log SET position = $1', [high])
  await log.query('UPDATE tidemark.log SET position = $1', [high])
  const flush = flusher(log, [{ redis: url, prefix }])
  const live = await startFollower({ redis: { redis: url, prefix } })
  await flush.flush()
  await log.write('product:1')
  await flush.flush()
  await eventually(async () => {
    await flush.flush()
    return live.status().mode === 'stream'
  })
  const { links, beats } = await streamIds(redisAt(url), prefix)
  expect(links).toEqual([`${high}-0`, `${high + 1}-0`])
  expect(beats.at(-1)).toMatch(new RegExp(`^${high + 1}-`))
  expect(live.follower.applied).toBe(high + 1)
})

test('a counter that a promoted replica inherited begins another generation there', async () => {
  const log = await freshLog()
  const primary = await ownRedis({ 'repl-diskless-sync-delay': '0' })
  onTestFinished(() => primary.remove())
  const replica = await ownRedis({ replicaof: `127.0.0.1 ${new URL(primary.url).port}` })
  onTestFinished(() => replica.remove())
  const flush = flusher(log, [{ redis: primary.url }])
  await flush.flush()
  await startFollower({ redis: { redis: primary.url } })
  const [a, b] = [redisAt(primary.url), redisAt(replica.url)]
  const generation = await a.hget(logKeys().ask, 'g')
  await eventually(async () => (await b.hget(logKeys().ask, 'g')) === generation)
  await b.replicaof('NO', 'ONE')
  const sink = redisSink({ redis: replica.url })
  onTestFinished(() => {
    sink.close()
  })
  expect(String((await sink.count()).generation)).not.toBe(generation)
})
