/** The laws of an invalidation log, for each that there is. */
import { eventually, redisSpace } from '@tidemark/testkit'
import { describe, expect, test } from 'vitest'

import type { FollowEvent } from '../src/index.js'
import { freshLog } from './fixture/log-fixture.js'
import { isAfloat, isProven, startMemoryLog, startPostgresLog, startRedisLog } from './fixture/logs.js'
import type { OwnLog } from './fixture/logs.js'

interface Kind {
  readonly name: string
  /** Logs of one history, as so many processes have them. */
  readonly open: () => Promise<() => Promise<OwnLog>>
  readonly isShared: boolean
}

const kinds: readonly Kind[] = [
  { name: 'memoryLog', isShared: false, open: () => Promise.resolve(() => startMemoryLog()) },
  {
    name: 'redisLog',
    isShared: true,
    open() {
      const { url, prefix } = redisSpace()
      return Promise.resolve(() => startRedisLog({ redis: url, prefix }))
    },
  },
  {
    name: 'postgresLog',
    isShared: true,
    async open() {
      const { log } = await freshLog()
      return () => startPostgresLog({ postgres: log })
    },
  },
  {
    name: 'postgresLog with Redis',
    isShared: true,
    async open() {
      const { log } = await freshLog()
      const { url, prefix } = redisSpace()
      return () => startPostgresLog({ postgres: log, redis: url, prefix })
    },
  },
]

describe.each(kinds)('$name', ({ open, isShared }) => {
  test('is proven as soon as it has started, and stays so with nobody writing', async () => {
    const log = await (await open())()
    await eventually(() => isProven(log))
    expect(log.follower.epoch).toBeDefined()
    const seenAtMs = log.now().monoMs
    await eventually(() => (log.follower.provenAt?.monoMs ?? 0) > seenAtMs)
  })

  test('an invalidation sinks what was read before it, in its own process by the time that it is answered', async () => {
    const log = await (await open())()
    const before = log.follower.stamp()
    const token = await log.invalidate(['product:1'], 'a test')
    expect(isAfloat(log, before, 'product:1')).toBe(false)
    expect(isAfloat(log, before, 'product:2')).toBe(true)
    expect(isAfloat(log, log.follower.stamp(), 'product:1')).toBe(true)
    expect(log.follower.token).toEqual(token)
  })

  test('a token is above the one before, and names the term followed', async () => {
    const log = await (await open())()
    const first = await log.invalidate(['product:1'])
    const second = await log.invalidate(['product:1'])
    expect(second).toEqual({ term: log.follower.epoch!.term, position: first.position + 1 })
  })

  test('invalidations called for in one tick are all covered by their tokens', async () => {
    const log = await (await open())()
    const before = log.follower.stamp()
    const tags = Array.from({ length: 500 }, (_, i) => `product:${i}`)
    const tokens = await Promise.all(tags.map((tag) => log.invalidate([tag])))
    for (const token of tokens) expect(await log.reach(token, 2_000)).toBe('reached')
    expect(tags.some((tag) => isAfloat(log, before, tag))).toBe(false)
    expect(isAfloat(log, before, 'product:none')).toBe(true)
  })

  test('the head covers every invalidation numbered before it was asked for', async () => {
    const make = await open()
    const log = await make()
    const other = isShared ? await make() : log
    const token = await other.invalidate(['product:1'])
    const head = await log.head(2_000)
    expect(head).toEqual(token)
    expect(await log.reach(head, 2_000)).toBe('reached')
    expect(await log.pull()).toEqual(head)
  })

  test('a token of a position that was never given is beyond the log; one of an older term counts as met', async () => {
    const log = await (await open())()
    const { term, position } = await log.head(2_000)
    expect(await log.reach({ term, position: position + 1 }, 2_000)).toBe('beyond-log')
    expect(await log.reach({ term: term + 1, position: 1 }, 2_000)).toBe('beyond-log')
    expect(await log.reach({ term: term - 1, position: 1e9 }, 2_000)).toBe('history-lost')
  })

  test('listeners hear of each invalidation once, with its reason, and one that throws is reported', async () => {
    const log = await (await open())()
    const events: FollowEvent[] = []
    log.listen(() => {
      throw new Error('mine')
    })
    const end = log.listen((event) => events.push(event))
    await log.invalidate(['product:1'], 'why')
    await log.pull()
    end()
    await log.invalidate(['product:2'])
    expect(events).toMatchObject([
      {
        kind: 'applied',
        entry: { tags: ['product:1'], changes: [{ operation: 'invalidate', reason: 'why' }] },
      },
    ])
    expect(log.codes()).toContain('log.listener-failed')
  })

  test('`*` sinks everything', async () => {
    const log = await (await open())()
    const before = log.follower.stamp()
    await log.invalidate(['*'])
    expect(isAfloat(log, before, 'anything')).toBe(false)
  })

  test('starting twice is starting once; after the stop nothing waits and nothing is numbered', async () => {
    const log = await (await open())()
    await Promise.all([log.start(), log.start()])
    const { term, position } = await log.head(2_000)
    const waiting = log.reach({ term, position: position + 1 }, 60_000)
    await log.stop()
    expect(['unreachable', 'beyond-log']).toContain(await waiting)
    await expect(log.invalidate(['product:1'])).rejects.toMatchObject({ code: 'log.stopped' })
    await log.stop()
  })
})

describe.each(kinds.filter(({ isShared }) => isShared))('$name, followed by several', ({ open }) => {
  test('an invalidation by one reaches the others, and sinks what they hold', async () => {
    const make = await open()
    const logs = [await make(), await make(), await make()]
    const stamps = logs.map((log) => log.follower.stamp())
    const token = await logs[0]!.invalidate(['product:1'])
    for (const [i, log] of logs.entries()) {
      expect(await log.reach(token, 2_000)).toBe('reached')
      expect(isAfloat(log, stamps[i], 'product:1')).toBe(false)
    }
  })
})
