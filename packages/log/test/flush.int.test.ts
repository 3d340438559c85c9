import { eventually, faultProxy, ownRedis, redisSpace } from '@tidemark/testkit'
import { expect, onTestFinished, test } from 'vitest'

import { createSequencer, logKeys, redisSink } from '../src/index.js'
import type { LogDatabase, Sequencer } from '../src/index.js'
import { flusher, freshLog, openLog, redisAt, startFollower, streamIds } from './fixture/log-fixture.js'

test('a committed change is sequenced, shipped and applied by a follower within milliseconds', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  const live = await startFollower({ redis: { redis: url, prefix } })
  const seen: string[] = []
  live.listen((event) => {
    if (event.kind === 'applied') seen.push(...event.entry.changes.map((change) => change.operation))
  })
  await log.write('product:1', 'product')
  const { token, shipped, entries } = await flush.flush()
  expect(shipped).toBe(true)
  expect(entries.map((entry) => entry.position)).toEqual([token.position])
  expect(await live.reach(token, 1_000)).toBe('reached')
  expect(live.follower.table.floorOf('product:1')).toBe(token.position)
  expect(live.follower.table.floorOf('product:2')).toBe(live.follower.table.base)
  expect(seen).toEqual(['update'])
  expect(live.status().counters).toMatchObject({ applied: 1, rebased: 1 })
})

test('shippers that race never fork, repeat or skip a link', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flushes = Array.from({ length: 4 }, () => flusher(log, [{ redis: url, prefix }]))
  await flushes[0]!.flush()
  const live = await startFollower({ redis: { redis: url, prefix } })
  await Promise.all(
    flushes.map(async (flush, i) => {
      for (let n = 0; n < 40; n++) {
        await log.write(`product:${i}-${n}`)
        expect((await flush.flush()).shipped).toBe(true)
      }
    }),
  )
  const { token } = await flushes[0]!.flush()
  const rows = await log.query('SELECT position FROM tidemark.log ORDER BY position')
  const { links } = await streamIds(redisAt(url), prefix)
  expect(links).toEqual(rows.map(({ position }) => `${String(position)}-0`))
  expect(await live.reach(token, 1_000)).toBe('reached')
  expect(live.status().counters).toMatchObject({ applied: links.length - 1, rebased: 1, ignored: 0 })
  expect(flushes.flatMap((flush) => flush.codes())).toEqual([])
})

test('a flush called after a run began to sequence is covered by a run of its own', async () => {
  const log = await freshLog()
  const real = createSequencer({ log: log.log })
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  let began = 0
  const gated: Sequencer = {
    async sequence() {
      const sequenced = await real.sequence()
      if (++began === 1) await gate
      return sequenced
    },
  }
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }], { sequencer: gated })
  const first = flush.flush()
  await eventually(() => began === 1)
  await log.write('product:1')
  const second = flush.flush()
  open()
  expect((await second).token.position).toBe((await first).token.position + 1)
})

test('polling when nobody has asked does not grow the stream', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const redis = redisAt(url)
  const flush = flusher(log, [{ redis: url, prefix }])
  for (let i = 0; i < 20; i++) await flush.flush()
  expect(await streamIds(redis, prefix)).toEqual({ links: ['1-0'], beats: [] })
  await redis.hincrby(logKeys(prefix).ask, 'n', 1)
  for (let i = 0; i < 20; i++) await flush.flush()
  expect(await streamIds(redis, prefix)).toEqual({ links: ['1-0'], beats: ['1-1'] })
})

test('the stream is held to about its bound', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  await log.query('SELECT tidemark.new_epoch(0) FROM generate_series(1, 400)')
  const sinks = [redisSink({ redis: url, prefix, maxEntries: 50 })]
  const flush = flusher(log, [], { sinks })
  for (let i = 0; i < 300; i++) {
    await log.write('product:1')
    await flush.flush()
  }
  expect(await redisAt(url).xlen(logKeys(prefix).log)).toBeLessThan(200)
})

test('the stream is held to about its bytes, however large its entries', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const maxBytes = 400_000
  const sinks = [redisSink({ redis: url, prefix, maxBytes })]
  const flush = flusher(log, [], { sinks })
  const redis = redisAt(url)
  const { log: stream } = logKeys(prefix)
  const live = await startFollower({ redis: { redis: url, prefix }, maxLagMs: 60_000 })
  let most = 0
  for (let i = 0; i < 40; i++) {
    await log.write(
      ...Array.from({ length: i % 4 === 0 ? 2_000 : 1 }, (_, tag) => `product:${i}-${tag}-xxxxxxxx`),
    )
    const { token } = await flush.flush()
    most = Math.max(most, Number(await redis.call('MEMORY', 'USAGE', stream, 'SAMPLES', '0')))
    expect(await live.reach(token, 2_000)).toBe('reached')
  }
  expect(most).toBeLessThan(1.3 * maxBytes)
  expect(await redis.xlen(stream)).toBeGreaterThan(10)
  expect(live.status().counters.rebased).toBe(1)
})

test('a Redis without memory left: the stream makes room for itself, asks are counted, and its readers stay proven', async () => {
  const log = await freshLog()
  const redis = await ownRedis({ maxmemory: '6mb', 'maxmemory-policy': 'noeviction' })
  onTestFinished(() => redis.remove())
  const admin = redisAt(redis.url)
  const flush = flusher(log, [{ redis: redis.url }])
  for (let i = 0; i < 20; i++) {
    await log.write(`product:${i}`)
    await flush.flush()
  }
  const live = await startFollower({ redis: { redis: redis.url }, maxLagMs: 600 })
  const fill = async (): Promise<boolean> => {
    const sizes = [100_000, 10_000, 1_000]
    for (const size of sizes)
      for (let i = 0; i < 200; i++) {
        const stored = await admin.set(`full:${size}:${i}`, 'x'.repeat(size)).catch(() => undefined)
        if (stored === undefined) break
      }
    return (await admin.set('probe', 'x'.repeat(1_000)).catch(() => undefined)) === undefined
  }
  expect(await fill()).toBe(true)
  const filledAt = live.now()
  await log.write('product:1')
  const { token, shipped } = await flush.flush()
  expect(shipped).toBe(true)
  expect(await live.reach(token, 2_000)).toBe('reached')
  await eventually(async () => {
    await flush.flush()
    return (live.follower.provenAt?.monoMs ?? 0) > filledAt.monoMs
  })
  expect(await admin.xlen(logKeys().log)).toBeLessThan(20)
  expect(flush.codes()).toEqual([])
})

test('a backlog of many batches is sequenced whole, and shipped whole', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const sequencer = createSequencer({ log: log.log, batch: 5 })
  const flush = flusher(log, [{ redis: url, prefix }], { sequencer })
  await flush.flush()
  await log.query(`INSERT INTO tidemark.outbox (resource, operation, tags)
    SELECT 'product', 'update', ARRAY['product:' || i] FROM generate_series(1, 1000) i`)
  const { token, entries, shipped } = await flush.flush()
  expect(token.position).toBeGreaterThanOrEqual(201)
  expect(entries).toEqual([])
  expect(shipped).toBe(true)
  expect((await streamIds(redisAt(url), prefix)).links).toHaveLength(token.position)
})

test('a backlog past the bound fails the flush by name and is gone after some more', async () => {
  const log = await freshLog()
  const sequencer = createSequencer({ log: log.log, batch: 1, maxBatches: 10 })
  for (let i = 0; i < 25; i++) await log.write('product:1')
  await expect(sequencer.sequence()).rejects.toMatchObject({ code: 'log.backlog' })
  await expect(sequencer.sequence()).rejects.toMatchObject({ code: 'log.backlog' })
  expect((await sequencer.sequence()).token.position).toBe(26)
})

test('of a back-log past the bound what is sequenced is shipped at once, and proves nothing; whoever flushes is told', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const sequencer = createSequencer({ log: log.log, batch: 5, maxBatches: 10 })
  const flush = flusher(log, [{ redis: url, prefix }], { sequencer })
  await flush.flush()
  const live = await startFollower({ redis: { redis: url, prefix }, maxLagMs: 60_000 })
  await log.query(`INSERT INTO tidemark.outbox (resource, operation, tags)
    SELECT 'product', 'update', ARRAY['product:' || i] FROM generate_series(1, 200) i`)
  const asked = live.now()
  for (const position of [11, 21, 31]) {
    await expect(flush.flush()).rejects.toMatchObject({ code: 'log.backlog' })
    await eventually(() => live.follower.applied === position)
    expect(live.follower.provenAt?.monoMs ?? 0).toBeLessThan(asked.monoMs)
  }
  const { token } = await flush.flush()
  expect(token.position).toBe(41)
})

test('positions that another made between two batches of a run are shipped in their place', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const other = createSequencer({ log: log.log })
  let isBetween = false
  const between: LogDatabase = {
    async query(text, values, options) {
      const rows = await log.log.query(text, values, options)
      if (!isBetween && rows[0]?.['more'] === true) {
        isBetween = true
        await other.sequence()
        await log.write('product:late')
      }
      return rows
    },
  }
  const sequencer = createSequencer({ log: between, batch: 2 })
  const flush = flusher(log, [{ redis: url, prefix }], { sequencer })
  await flush.flush()
  const live = await startFollower({ redis: { redis: url, prefix } })
  for (const tag of ['a', 'b', 'c']) await log.write(`product:${tag}`)
  const { token, entries } = await flush.flush()
  expect([token.position, entries]).toEqual([4, []])
  expect((await streamIds(redisAt(url), prefix)).links).toEqual(['1-0', '2-0', '3-0', '4-0'])
  expect(await live.reach(token, 1_000)).toBe('reached')
  expect(live.status().counters.rebased).toBe(1)
})

test('a dead Redis fails no flush, and is brought to the head when it is back', async () => {
  const log = await freshLog()
  const redis = await ownRedis()
  onTestFinished(() => redis.remove())
  const flush = flusher(log, [{ redis: redis.url }])
  expect((await flush.flush()).shipped).toBe(true)
  await redis.kill()
  await log.write('product:1')
  const { token, shipped } = await flush.flush()
  expect(shipped).toBe(false)
  await redis.start()
  await eventually(async () => (await flush.flush()).shipped)
  expect((await streamIds(redisAt(redis.url))).links).toEqual(['1-0', `${token.position}-0`])
})

test('a hung Redis holds up no other sink and, after its breaker, no flush', async () => {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const proxy = await faultProxy(url)
  onTestFinished(() => proxy.close())
  const hung = { redis: proxy.url, prefix: `${prefix}h` }
  const flush = flusher(log, [hung, { redis: url, prefix }], { restMs: 60_000 })
  expect((await flush.flush()).shipped).toBe(true)
  const live = await startFollower({ redis: { redis: url, prefix } })
  proxy.hang()
  for (let i = 0; i < 5; i++) {
    await log.write('product:1')
    const began = performance.now()
    const flushing = flush.flush()
    await eventually(() => live.follower.applied === 2 + i, { everyMs: 1 })
    expect(performance.now() - began).toBeLessThan(200)
    expect((await flushing).shipped).toBe(false)
  }
  const began = performance.now()
  await flush.flush()
  expect(performance.now() - began).toBeLessThan(100)
})

test('without Postgres a flush fails by name, and in time', async () => {
  const log = await freshLog()
  const proxy = await faultProxy(log.url)
  onTestFinished(() => proxy.close())
  const flush = flusher(openLog(proxy.url), [], { timeoutMs: 200 })
  await flush.flush()
  proxy.hang()
  await expect(flush.flush()).rejects.toMatchObject({ code: 'log.unreachable' })
  await proxy.cut()
  await expect(flush.flush()).rejects.toMatchObject({ code: 'log.unreachable' })
})

test('a stopped flush says so', async () => {
  const log = await freshLog()
  const flush = flusher(log, [])
  flush.stop()
  await expect(flush.flush()).rejects.toMatchObject({ code: 'log.stopped' })
})
