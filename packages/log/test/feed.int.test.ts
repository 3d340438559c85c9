import { eventually, redisSpace } from '@tidemark/testkit'
import { expect, onTestFinished, test } from 'vitest'

import type { ChangeFeed, Cursors, DurableFollower, FeedPart, LogDatabase, LogEntry } from '../src/index.js'
import { createChangeFeed, createCursors, createSequencer, followDurably } from '../src/index.js'
import { flusher, freshLog, restoreBackup, startFollower } from './fixture/log-fixture.js'

const until = { timeoutMs: 20_000 }

async function openFeed() {
  const log = await freshLog()
  const { url, prefix } = redisSpace()
  const flush = flusher(log, [{ redis: url, prefix }])
  await flush.flush()
  const tide = await startFollower({ redis: { redis: url, prefix }, postgres: log.log })
  let queries = 0
  const hooks: { onQuery?: (() => Promise<void>) | undefined } = {}
  const counted: LogDatabase = {
    async query(...query) {
      queries++
      const rows = await log.log.query(...query)
      await hooks.onQuery?.()
      return rows
    },
  }
  const feed = createChangeFeed({ log: counted, tide })
  onTestFinished(() => {
    feed.stop()
  })
  /** Commits a change and makes it known to this follower. */
  const change = async (...tags: string[]): Promise<void> => {
    await log.write(...tags)
    const { token } = await flush.flush()
    expect(await tide.reach(token, 10_000)).toBe('reached')
  }
  return { log, flush, tide, feed, change, hooks, queries: () => queries }
}

const tagsOf = (entries: readonly LogEntry[]): string[] => entries.flatMap(({ tags }) => tags)

const manyTags = (count: number, length = 25): string[] =>
  Array.from({ length: count }, (_, n) => `a-tag-of-some-length-${n}`.padEnd(length, 'x'))

async function entriesAfter(feed: ChangeFeed, place: { term: number; position: number }, waitMs = 0) {
  const page = await feed.after(place, { waitMs })
  if (page.kind !== 'entries') throw new Error(`gone: ${page.reason}`)
  return page
}

test('what the follower applies is told to who waits, without a query', async () => {
  const { feed, change, queries } = await openFeed()
  const head = await feed.head()
  await change('a')
  const first = await entriesAfter(feed, head)
  expect(tagsOf(first.entries)).toEqual(['a'])
  const before = queries()
  const waiting = entriesAfter(feed, first.at, 10_000)
  await change('b')
  expect(tagsOf((await waiting).entries)).toEqual(['b'])
  expect(tagsOf((await entriesAfter(feed, head)).entries)).toEqual(['a', 'b'])
  expect(queries()).toBe(before)
})

test('a follower that has just begun is at the head: who waits there costs no query', async () => {
  const { log, tide, change } = await openFeed()
  await change('a')
  let queries = 0
  const cold = createChangeFeed({
    tide,
    log: {
      query: (...query) => {
        queries++
        return log.log.query(...query)
      },
    },
  })
  const head = tide.follower.token!
  const waiting = Array.from({ length: 100 }, () => entriesAfter(cold, head, 10_000))
  await change('b')
  for (const { entries } of await Promise.all(waiting)) expect(tagsOf(entries)).toEqual(['b'])
  expect(queries).toBe(0)
  cold.stop()
})

test('of many who wait all are woken, some in each turn, so that others are answered in between', async () => {
  const { feed, change, tide } = await openFeed()
  const place = tide.follower.token!
  let answered = 0
  let mostInTurn = 0
  const waiting = Array.from({ length: 500 }, async () => {
    const { entries } = await entriesAfter(feed, place, 300_000)
    answered++
    return entries.length
  })
  const stop = tide.listen(() => {
    let before = answered
    const look = (): void => {
      mostInTurn = Math.max(mostInTurn, answered - before)
      before = answered
      if (answered < waiting.length) setImmediate(look)
    }
    setImmediate(look)
  })
  await change('a')
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([1]))
  stop()
  expect(mostInTurn).toBeLessThanOrEqual(128)
})

test('what was too large to be shipped whole is read once for all who wait, and whole', async () => {
  const { log, feed, change, queries, flush, tide } = await openFeed()
  await change('a')
  const place = tide.follower.token!
  const waiting = Array.from({ length: 100 }, () => entriesAfter(feed, place, 10_000))
  const before = queries()
  await log.write(...manyTags(2_000))
  const { token } = await flush.flush()
  expect(await tide.reach(token, 10_000)).toBe('reached')
  for (const { entries } of await Promise.all(waiting))
    expect(entries.map(({ changes }) => changes[0]?.tags.length)).toEqual([2_000])
  expect(queries() - before).toBe(1)
})

test('a read that began before a step is not shared with who comes after it', async () => {
  const { log, feed, flush, tide, hooks } = await openFeed()
  await log.write('x')
  const { token } = await createSequencer({ log: log.log }).sequence()
  const late: Promise<{ entries: readonly LogEntry[] }>[] = []
  hooks.onQuery = async () => {
    hooks.onQuery = undefined
    // Too large to be shipped, so it is not in memory: the second comer has to read as well.
    await log.write(...manyTags(2_000))
    expect(await tide.reach((await flush.flush()).token, 10_000)).toBe('reached')
    late.push(entriesAfter(feed, token, 300_000))
  }
  expect((await entriesAfter(feed, token, 300_000)).entries).toHaveLength(1)
  expect((await late[0]!).entries).toHaveLength(1)
})

test('one entry that is larger than a page is told all the same', async () => {
  const { log, feed, flush, tide } = await openFeed()
  const place = tide.follower.token!
  await log.write(...manyTags(2_000, 300))
  expect(await tide.reach((await flush.flush()).token, 10_000)).toBe('reached')
  const { entries } = await entriesAfter(feed, place)
  expect(entries.map(({ tags }) => tags.length)).toEqual([2_000])
})

test('a page of large entries is cut, and the next goes on from there', async () => {
  const { log, change, flush, tide } = await openFeed()
  await change('a')
  const start = tide.follower.token!
  for (let n = 0; n < 4; n++) {
    // Random, so that Postgres stores it as long as it is.
    await log.query(
      `INSERT INTO tidemark.outbox (resource, key, operation, tags)
       SELECT 'product', $1, 'update', array_agg(gen_random_uuid()::text) FROM generate_series(1, 5000)`,
      [String(n)],
    )
    await flush.flush()
  }
  const cold = createChangeFeed({ log: log.log, tide })
  const keys: (string | null | undefined)[] = []
  let pages = 0
  for (let place = start; keys.length < 4; pages++) {
    const { entries, at } = await entriesAfter(cold, place)
    keys.push(...entries.map(({ changes }) => changes[0]?.key))
    place = at
  }
  expect(keys).toEqual(['0', '1', '2', '3'])
  expect(pages).toBeGreaterThan(1)
  cold.stop()
})

test('a change that comes while the log is read wakes its consumer all the same', async () => {
  const { log, feed, change, hooks } = await openFeed()
  await log.write('x')
  // Of another reader: this one has not heard of it, and has to ask the log.
  const { token } = await createSequencer({ log: log.log }).sequence()
  hooks.onQuery = async () => {
    hooks.onQuery = undefined
    await change('a')
  }
  // Asleep, it would sleep longer than this test may take.
  expect(tagsOf((await entriesAfter(feed, token, 300_000)).entries)).toEqual(['a'])
})

test('a place below what is held in memory is read from the log, page by page', async () => {
  const { log, feed, change, tide, flush } = await openFeed()
  const head = await feed.head()
  await change('a')
  const other = createChangeFeed({ log: log.log, tide })
  onTestFinished(() => {
    other.stop()
  })
  for (const tag of ['b', 'c']) {
    await log.write(tag)
    await flush.flush()
  }
  expect(tagsOf((await entriesAfter(other, head)).entries)).toEqual(['a', 'b', 'c'])
  const page = await other.after(head, { limit: 2 })
  expect(page).toMatchObject({ kind: 'entries', at: { position: head.position + 2 } })
})

test('a place that was trimmed, lost with its term, or never was, is gone', async () => {
  const { log, feed, change, flush, tide } = await openFeed()
  const head = await feed.head()
  await change('a')
  await change('b')
  const last = await feed.head()
  const cold = createChangeFeed({ log: log.log, tide })
  await log.query('DELETE FROM tidemark.log WHERE position <= $1', [head.position])
  expect(await cold.after(head)).toMatchObject({ kind: 'gone', reason: 'trimmed', head: last })
  expect(await cold.after({ ...last, position: last.position + 9 })).toMatchObject({ reason: 'unknown' })
  await restoreBackup(log, last.position - 1)
  await log.query('SELECT tidemark.new_epoch()')
  await flush.flush()
  // Until this follower hears of it, there is nothing new for who stands where it stands.
  expect(await tide.reach({ term: 2, position: last.position }, 10_000)).toBe('reached')
  expect(await cold.after(last)).toMatchObject({ kind: 'gone', reason: 'lost', head: { term: 2 } })
  expect(await feed.after(last)).toMatchObject({ kind: 'gone', reason: 'lost' })
  // The position that was lost is one of the new term now, and what follows it is held in memory.
  await change('c')
  expect(await feed.after(last)).toMatchObject({ kind: 'gone', reason: 'lost' })
  cold.stop()
})

test('a new epoch that continues the place is told as an entry', async () => {
  const { log, feed, change, flush } = await openFeed()
  await change('a')
  const place = await feed.head()
  await log.query('SELECT tidemark.new_epoch()')
  await flush.flush()
  await log.write('b')
  await flush.flush()
  const { entries } = await entriesAfter(feed, place)
  expect(entries.flatMap(({ changes }) => changes.map(({ operation }) => operation))).toEqual([
    'epoch',
    'update',
  ])
})

interface Consumer {
  readonly follower: DurableFollower
  readonly tags: string[]
  readonly parts: FeedPart[]
  readonly errors: unknown[]
}

function consume(feed: ChangeFeed, cursors: Cursors, failing: () => boolean = () => false): Consumer {
  const tags: string[] = []
  const parts: FeedPart[] = []
  const errors: unknown[] = []
  const follower = followDurably({
    name: 'test',
    feed,
    cursors,
    leaseMs: 600,
    restMs: 20,
    handle: (part) => {
      parts.push(part)
      if (part.kind === 'entries') tags.push(...tagsOf(part.entries))
      return failing() ? Promise.reject(new Error('no')) : Promise.resolve('handled')
    },
    onError: (error) => errors.push(error),
  })
  onTestFinished(() => follower.stop())
  return { follower, tags, parts, errors }
}

test('of two consumers one is served; the other goes on where the cursor stands', async () => {
  const { log, feed, change } = await openFeed()
  const cursors = createCursors(log.log)
  const first = consume(feed, cursors)
  await eventually(() => first.follower.isServing, until)
  const second = consume(feed, cursors)
  await change('a')
  await change('b')
  await eventually(() => first.tags.length === 2, until)
  await first.follower.stop()
  await eventually(() => second.follower.isServing, until)
  await change('c')
  await eventually(() => second.tags.length > 0, until)
  expect(first.tags).toEqual(['a', 'b'])
  expect(second.tags).toEqual(['c'])
})

test('what could not be handled comes again, and the place does not move before it was', async () => {
  const { log, feed, change } = await openFeed()
  const cursors = createCursors(log.log)
  let isDown = true
  const consumer = consume(feed, cursors, () => isDown)
  await eventually(() => consumer.follower.isServing, until)
  const [start] = await cursors.all()
  await change('a')
  await eventually(() => consumer.errors.length >= 2, until)
  expect(await cursors.all()).toMatchObject([{ name: 'test', position: start!.position }])
  isDown = false
  await eventually(async () => (await cursors.all())[0]!.position > start!.position, until)
  expect(new Set(consumer.tags)).toEqual(new Set(['a']))
})

test('a consumer whose lease ran out moves nothing any more', async () => {
  const { log, feed } = await openFeed()
  const cursors = createCursors(log.log)
  const head = await feed.head()
  const [one, two] = ['5f0c0c9e-0000-4000-8000-000000000001', '5f0c0c9e-0000-4000-8000-000000000002']
  expect(await cursors.hold('c', one!, 60_000, head)).toEqual(head)
  expect(await cursors.hold('c', two!, 60_000, head)).toBeUndefined()
  await log.query(`UPDATE tidemark.cursor SET held_until = clock_timestamp() - interval '1 second'`)
  expect(await cursors.hold('c', two!, 60_000, { term: 9, position: 9 })).toEqual(head)
  expect(await cursors.move('c', one!, 60_000, { ...head, position: 99 })).toBe(false)
  expect(await cursors.move('c', two!, 60_000, { ...head, position: 77 })).toBe(true)
  expect(await cursors.all()).toMatchObject([{ name: 'c', position: 77, isHeld: true }])
})

test('a cursor that somebody holds is not removed', async () => {
  const { log, feed } = await openFeed()
  const cursors = createCursors(log.log)
  const holder = '5f0c0c9e-0000-4000-8000-000000000001'
  await cursors.hold('c', holder, 60_000, await feed.head())
  expect(await cursors.remove('c')).toBe(false)
  expect(await cursors.all()).toHaveLength(1)
  await cursors.release('c', holder)
  expect(await cursors.remove('c')).toBe(true)
  expect(await cursors.remove('c')).toBe(false)
})

test('a consumer that the log was trimmed away from is told so, and goes on at the head', async () => {
  const { log, feed, change, tide } = await openFeed()
  const cursors = createCursors(log.log)
  const consumer = consume(feed, cursors)
  await eventually(() => consumer.follower.isServing, until)
  await consumer.follower.stop()
  await change('a')
  await log.query('DELETE FROM tidemark.log WHERE position < (SELECT max(position) FROM tidemark.log)')
  await change('b')
  const cold = createChangeFeed({ log: log.log, tide })
  const late = consume(cold, cursors)
  await eventually(() => late.parts.length > 0, until)
  expect(late.parts[0]).toMatchObject({ kind: 'gone', reason: 'trimmed' })
  await change('c')
  await eventually(() => late.tags.includes('c'), until)
  cold.stop()
})
