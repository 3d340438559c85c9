/** What a Redis that numbers its own log may do to those who follow it. */
import { eventually, ownRedis, redisSpace } from '@tidemark/testkit'
import type { OwnServer } from '@tidemark/testkit'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'

import { logKeys } from '../src/index.js'
import { isAfloat, isProven, maxLagMs, startRedisLog } from './fixture/logs.js'
import type { OwnLog } from './fixture/logs.js'
import { redisAt } from './fixture/log-fixture.js'

const keys = logKeys('tidemark')

async function ownServer(settings: Readonly<Record<string, string>> = {}): Promise<OwnServer> {
  const server = await ownRedis(settings)
  onTestFinished(() => server.remove())
  return server
}

const portOf = ({ url }: OwnServer): string => new URL(url).port

const follow = ({ url }: OwnServer): Promise<OwnLog> => startRedisLog({ redis: url, prefix: 'tidemark' })

/** Both logs follow the same epoch, of a term above `term`, and are proven in it. */
const inNewEpoch = (logs: readonly OwnLog[], term: number): Promise<unknown> =>
  eventually(() => {
    for (const log of logs) {
      expect(log.follower.epoch!.term).toBeGreaterThan(term)
      expect(log.follower.epoch).toEqual(logs[0]!.follower.epoch)
      expect(isProven(log)).toBe(true)
    }
  })

/** An invalidation by the first reaches the last, with a token that is not below what its caller followed. */
async function works(logs: readonly OwnLog[]): Promise<void> {
  const last = logs.at(-1)!
  const before = last.follower.stamp()
  const { term } = logs[0]!.follower.token!
  const token = await eventually(() => logs[0]!.invalidate(['product:works']))
  expect(token.term).toBeGreaterThanOrEqual(term)
  expect(await last.reach(token, 5_000)).toBe('reached')
  expect(isAfloat(last, before, 'product:works')).toBe(false)
  expect(isAfloat(last, last.follower.stamp(), 'product:works')).toBe(true)
}

const blind = (log: OwnLog): Promise<unknown> => eventually(() => expect(log.status().mode).toBe('blind'))

describe('a history that is lost', () => {
  const losses: readonly (readonly [how: string, lose: (server: OwnServer) => Promise<unknown>])[] = [
    ['flushed', ({ url }) => redisAt(url).flushall()],
    ['its stream evicted', ({ url }) => redisAt(url).del(keys.log)],
    ['its clock evicted', ({ url }) => redisAt(url).del(keys.clock)],
    ['its clock overwritten', ({ url }) => redisAt(url).set(keys.clock, 'mine')],
    ['its stream overwritten', ({ url }) => redisAt(url).set(keys.log, 'mine')],
    [
      'its newest entry deleted',
      async ({ url }) => {
        const [newest] = await redisAt(url).xrevrange(keys.log, '+', '-', 'COUNT', 1)
        await redisAt(url).xdel(keys.log, newest![0])
      },
    ],
    ['written to by somebody else', ({ url }) => redisAt(url).xadd(keys.log, '*', 'a', 'b')],
    [
      'killed and restarted without its data',
      async (server) => {
        await server.kill()
        await server.start()
      },
    ],
  ]

  test.each(losses)('%s: a new epoch begins, by itself, and sinks all there is', async (_, lose) => {
    const server = await ownServer()
    const logs = [await follow(server), await follow(server)]
    await logs[0]!.invalidate(['product:1'])
    await logs[1]!.pull()
    const { term } = logs[0]!.follower.epoch!
    const stamps = logs.map((log) => log.follower.stamp())
    await lose(server)
    await inNewEpoch(logs, term)
    for (const [i, log] of logs.entries()) expect(isAfloat(log, stamps[i], 'product:2')).toBe(false)
    await works(logs)
    await works(logs.reverse())
  })

  test('a process that starts after a flush and writes first: those who followed before hear of it', async () => {
    const server = await ownServer()
    const old = await follow(server)
    for (let i = 0; i < 20; i++) await old.invalidate(['product:1'])
    const before = old.follower.stamp()
    const redis = redisAt(server.url)
    // Terms of nobody's knowledge are seconds.
    await eventually(async () => Number((await redis.time())[0]) > before!.epoch.term)
    await redis.flushall()
    const fresh = await follow(server)
    const token = await fresh.invalidate(['product:1'])
    expect(token.term).toBeGreaterThan(before!.epoch.term)
    expect(await old.reach(token, 5_000)).toBe('reached')
    expect(isAfloat(old, before, 'product:1')).toBe(false)
    expect(old.follower.epoch).toEqual(fresh.follower.epoch)
  })

  test('a server restarted with all of its data is another life: a new epoch begins', async () => {
    const server = await ownServer({ appendonly: 'yes', appendfsync: 'always' })
    const log = await follow(server)
    const { term } = await log.invalidate(['product:1'])
    const before = log.follower.stamp()
    await server.kill()
    await server.start()
    await inNewEpoch([log], term)
    expect(isAfloat(log, before, 'product:2')).toBe(false)
    await works([log])
  })

  test('an older history than was followed, put back unnoticed: the first who asks ends it', async () => {
    const server = await ownServer()
    const logs = [await follow(server), await follow(server)]
    const redis = redisAt(server.url)
    await logs[0]!.invalidate(['product:1'])
    const saved = await Promise.all([keys.log, keys.clock].map((key) => redis.dumpBuffer(key)))
    const { term } = await logs[0]!.invalidate(['product:1'])
    await logs[1]!.pull()
    await redis.restore(keys.log, 0, saved[0]!, 'REPLACE')
    await redis.restore(keys.clock, 0, saved[1]!, 'REPLACE')
    await inNewEpoch(logs, term)
    await works(logs)
  })

  test('a stream that takes no further position, after a visit by somebody else: a new epoch begins', async () => {
    const server = await ownServer()
    const logs = [await follow(server), await follow(server)]
    const { term } = logs[0]!.follower.epoch!
    const redis = redisAt(server.url)
    await redis.xdel(keys.log, (await redis.xadd(keys.log, '*', 'a', 'b'))!)
    await works(logs)
    await inNewEpoch(logs, term)
  })

  test('a history of a lower term than was followed, as of a server whose clock was set back, is not ignored', async () => {
    const { url, prefix } = redisSpace()
    const log = await startRedisLog({ redis: url, prefix })
    const { term } = await log.invalidate(['product:1'])
    const redis = redisAt(url)
    const of = logKeys(prefix)
    // As after a flush by a server whose clock is behind: another nonce under a lower term.
    await redis.xtrim(of.log, 'MAXLEN', 0)
    await redis.del(of.log)
    const server = await redis.hget(of.clock, 's')
    const end = { t: String(term - 5), e: '7', m: '9' }
    await redis.xadd(of.log, '1-0', ...Object.entries({ ...end, q: '0', k: '["*"]', c: '[]', s: '1' }).flat())
    await redis.hset(of.clock, { s: server, p: '1', ...end })
    await inNewEpoch([log], term)
    await works([log])
  })
})

describe('a Redis that cannot be used', () => {
  test('it hangs: nothing hangs with it, its followers go blind, and see again when it wakes', async () => {
    const server = await ownServer()
    const log = await startRedisLog({ redis: server.url, prefix: 'tidemark', invalidateTimeoutMs: 500 })
    const { term, position } = await log.invalidate(['product:1'])
    await server.pause()
    await expect(log.invalidate(['product:2'])).rejects.toMatchObject({ code: 'log.unreachable' })
    await expect(log.head(500)).rejects.toMatchObject({ code: 'log.unreachable' })
    expect(await log.reach({ term, position: position + 9 }, 300)).toBe('unreachable')
    await blind(log)
    await server.resume()
    await eventually(() => isProven(log))
    expect(log.follower.epoch!.term).toBe(term)
    await works([log])
  })

  test('it is not there at the start: the log starts all the same, and follows when it comes', async () => {
    const server = await ownServer()
    await server.kill()
    const log = await follow(server)
    expect(log.status().mode).toBe('adrift')
    await server.start()
    await eventually(() => isProven(log))
    await works([log])
  })

  test('it misses its replicas and must not write: its followers go blind, and it numbers nothing', async () => {
    const master = await ownServer({ 'repl-diskless-sync-delay': '0' })
    const replica = await ownServer({ replicaof: `127.0.0.1 ${portOf(master)}` })
    const redis = redisAt(master.url)
    await eventually(async () => (await redis.info('replication')).includes('state=online'))
    const log = await startRedisLog({ redis: master.url, prefix: 'tidemark', invalidateTimeoutMs: 500 })
    const { term } = await log.invalidate(['product:1'])
    await redis.config('SET', 'min-replicas-to-write', '1')
    await redis.config('SET', 'min-replicas-max-lag', '1')
    await eventually(() => isProven(log))
    await replica.pause()
    await blind(log)
    await expect(log.invalidate(['product:2'])).rejects.toMatchObject({
      code: 'log.unreachable',
      message: expect.stringContaining('NOREPLICAS') as string,
    })
    await replica.resume()
    await eventually(() => isProven(log), { timeoutMs: 10_000 })
    expect(log.follower.epoch!.term).toBe(term)
  })

  test('it is demoted: it numbers nothing any more, also where it may be written to', async () => {
    const master = await ownServer()
    const other = await ownServer()
    const log = await startRedisLog({ redis: master.url, prefix: 'tidemark', invalidateTimeoutMs: 300 })
    const { term } = await log.invalidate(['product:1'])
    const redis = redisAt(master.url)
    await redis.config('SET', 'replica-read-only', 'no')
    await redis.replicaof('127.0.0.1', Number(portOf(other)))
    await blind(log)
    await expect(log.invalidate(['product:2'])).rejects.toMatchObject({ code: 'log.unreachable' })
    await redis.replicaof('NO', 'ONE')
    await inNewEpoch([log], term)
    await works([log])
  })

  test('its memory is full: invalidations are numbered all the same', async () => {
    const server = await ownServer({ 'maxmemory-policy': 'noeviction' })
    const log = await follow(server)
    const redis = redisAt(server.url)
    await redis.config('SET', 'maxmemory', '1mb')
    await expect(redis.set('x', 'y')).rejects.toThrow('OOM')
    await works([log])
    await eventually(() => (log.follower.provenAt?.monoMs ?? 0) > log.now().monoMs - maxLagMs)
  })
})

describe('the two connections of a log', () => {
  test('they meet different servers: both are given up, and lead to the one that is named now', async () => {
    const [one, other] = [await ownServer(), await ownServer()]
    let named = one
    const connect = (): Redis =>
      new Redis(named.url, { retryStrategy: () => null, enableOfflineQueue: false, lazyConnect: true })
    const log = await startRedisLog({ redis: connect, prefix: 'tidemark' })
    const before = log.follower.stamp()
    named = other
    const token = await log.invalidate(['product:1'])
    expect(token.term).toBeGreaterThan(before!.epoch.term)
    expect(await log.reach(token, 5_000)).toBe('reached')
    expect(isAfloat(log, before, 'product:none')).toBe(false)
    expect(log.codes()).toContain('log.stream-failed')
    await works([log])
  })

  test('an invalidation that finds no server is sent again until one answers', async () => {
    const server = await ownServer()
    const log = await startRedisLog({ redis: server.url, prefix: 'tidemark', invalidateTimeoutMs: 10_000 })
    const { term } = log.follower.epoch!
    await server.kill()
    const sent = [log.invalidate(['product:1']), log.invalidate(['product:2'])]
    await blind(log)
    await server.start()
    for (const token of await Promise.all(sent)) expect(token.term).toBeGreaterThan(term)
    await inNewEpoch([log], term)
  })
})

test('the stream is bounded: whoever was away longer than it reaches back sinks what it held', async () => {
  const { url, prefix } = redisSpace()
  const log = await startRedisLog({ redis: url, prefix, maxEntries: 10 })
  for (let i = 0; i < 300; i++) await log.invalidate([`product:${i}`])
  expect(await redisAt(url).xlen(logKeys(prefix).log)).toBeLessThan(200)
  const before = log.follower.stamp()
  const late = await startRedisLog({ redis: url, prefix, maxEntries: 10 })
  expect(late.follower.table.base).toBeGreaterThan(1)
  expect(isAfloat(late, before, 'product:none')).toBe(true)
  expect(isAfloat(late, { ...before!, tidemark: 1 }, 'product:none')).toBe(false)
})

test('a value that one stored is judged by another that starts later: floors of before its start are known', async () => {
  const { url, prefix } = redisSpace()
  const make = () => startRedisLog({ redis: url, prefix })
  const first = await make()
  await first.invalidate(['product:1'])
  const stamp = first.follower.stamp()
  await first.invalidate(['product:2'])
  const later = await make()
  expect(await later.reach(first.follower.token!, 2_000)).toBe('reached')
  expect(isAfloat(later, stamp, 'product:1')).toBe(true)
  expect(isAfloat(later, stamp, 'product:2')).toBe(false)
})
