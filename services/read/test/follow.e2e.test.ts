/** The client over services and stores that fail: each change is seen once or more, or there is a reset. */
import {
  emptyDatabase,
  eventually,
  faultProxy,
  loseEverything,
  ownPostgres,
  ownRedis,
} from '@tidemark/testkit'
import type { FaultProxy, House, OwnServer } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { follow } from '../../../packages/client/src/index.js'
import type { FeedEvent, FollowOptions } from '../../../packages/client/src/index.js'
import { startShop } from './fixture/shop.js'

const until = { timeoutMs: 50_000 }

/** A consumer that notes what it sees as `key@version`. */
function consume(url: string | readonly string[], options: Partial<FollowOptions> = {}) {
  const seen = new Set<string>()
  const resets: string[] = []
  const interruptions: string[] = []
  const failures: unknown[] = []
  let last: FeedEvent | undefined
  const following = follow({
    ...{ url, backoffMaxMs: 500, silenceMs: 5_000, connectTimeoutMs: 5_000 },
    onInterrupted: ({ message }) => interruptions.push(message),
    ...options,
  })
  const run = async (): Promise<void> => {
    for await (const event of following) {
      last = event
      if (event.kind === 'change') seen.add(`${event.key}@${event.version}`)
      if (event.kind === 'reset') resets.push(event.reason)
    }
  }
  void run().catch((error: unknown) => failures.push(error))
  onTestFinished(async () => {
    await following.return()
  })
  return {
    ...{ seen, resets, interruptions, failures, following },
    get last() {
      return last
    },
  }
}

/** Writes until it is told to stop; gives what it knows to be committed, as `key@version`. */
function keepWriting(house: House) {
  const written: string[] = []
  let isOn = true
  const running = (async () => {
    for (let id = 1; isOn; id = (id % 100) + 1) {
      // One that gets no answer may be committed all the same: it is not counted.
      const rows = await house
        .sql<{ version: number }>('UPDATE product SET stock = stock + 1 WHERE id = $1 RETURNING version', [
          id,
        ])
        .catch(() => [])
      for (const { version } of rows) written.push(`${id}@${version}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  const stop = async (): Promise<readonly string[]> => {
    isOn = false
    await running
    return written
  }
  onTestFinished(() => stop().then(() => undefined))
  return { written, stop }
}

const missingFrom = (seen: ReadonlySet<string>, written: readonly string[]): string[] =>
  written.filter((name) => !seen.has(name))

async function more(written: readonly string[], count = 20): Promise<void> {
  const goal = written.length + count
  await eventually(() => written.length >= goal, until)
}

describe('two readers', () => {
  let house: House
  beforeAll(async () => {
    house = await startShop()
  })
  afterAll(() => house.stop())

  test('one that is killed in the middle of a stream is left for the other, and nothing is missed', async () => {
    const other = await house.start('read')
    const consumer = consume([house.read.url, other.url])
    await eventually(() => consumer.last !== undefined, until)
    const { written, stop } = keepWriting(house)
    await more(written)
    await house.read.process.kill('SIGKILL')
    await more(written)
    const third = await house.start('read')
    const late = consume([other.url, third.url], { from: consumer.following.token! })
    await eventually(() => late.last !== undefined, until)
    await other.process.kill('SIGKILL')
    await more(written)
    const all = await stop()
    await eventually(() => expect(missingFrom(late.seen, all.slice(-20))).toEqual([]), until)
    const together = new Set([...consumer.seen, ...late.seen])
    expect(missingFrom(together, all)).toEqual([])
    expect([...consumer.resets, ...late.resets]).toEqual([])
  })

  test('a reader that drains sends its followers away at once', async () => {
    const [first, second] = [
      await house.start('read', { SHUTDOWN_TIMEOUT: '60s' }),
      await house.start('read'),
    ]
    const consumer = consume([first.url, second.url])
    await eventually(() => consumer.last !== undefined, until)
    const { written, stop } = keepWriting(house)
    await more(written)
    first.process.signal('SIGTERM')
    expect(await first.process.ended).toEqual({ code: 0, signal: null })
    await more(written)
    const all = await stop()
    await eventually(() => expect(missingFrom(consumer.seen, all)).toEqual([]), until)
    expect(consumer.resets).toEqual([])
  })
})

describe('stores that fail', () => {
  let postgres: OwnServer
  let redis: OwnServer
  let house: House
  let away: FaultProxy
  beforeAll(async () => {
    postgres = await ownPostgres()
    redis = await ownRedis()
    house = await startShop({
      database: { url: postgres.url, drop: () => Promise.resolve() },
      redis: { url: redis.url },
    })
    away = await faultProxy(house.read.url)
  })
  afterAll(async () => {
    await away.close()
    await house.stop()
    await redis.remove()
    await postgres.remove()
  })

  const faults: Record<string, readonly [strike: () => Promise<unknown>, mend: () => Promise<unknown>]> = {
    'Redis hangs': [() => redis.pause(), () => redis.resume()],
    'Redis loses everything': [() => loseEverything(redis.url), () => Promise.resolve()],
    'Redis is killed': [() => redis.kill(), () => redis.start()],
    'Postgres hangs': [() => postgres.pause(), () => postgres.resume()],
    'Postgres is restarted': [() => postgres.stop(), () => postgres.start()],
    'the network breaks': [() => away.cut(), () => away.heal()],
    'the network hangs': [() => Promise.resolve(away.hang()), () => away.heal()],
  }

  test.each(Object.entries(faults))('%s: nothing is missed', async (_, [strike, mend]) => {
    const consumer = consume(away.url)
    await eventually(() => consumer.last !== undefined, until)
    const { written, stop } = keepWriting(house)
    await more(written)
    await strike()
    await lasting(300)
    await mend()
    await more(written)
    const all = await stop()
    await eventually(() => expect(missingFrom(consumer.seen, all)).toEqual([]), until)
    expect([consumer.resets, consumer.failures]).toEqual([[], []])
  })

  test('a crash of Postgres is a reset, and what is committed afterwards is told', async () => {
    const consumer = consume(away.url)
    await eventually(() => consumer.last !== undefined, until)
    await postgres.kill()
    await postgres.start()
    await eventually(() => expect(consumer.resets.length).toBeGreaterThan(0), until)
    const { written, stop } = keepWriting(house)
    await more(written)
    const all = await stop()
    await eventually(() => expect(missingFrom(consumer.seen, all)).toEqual([]), until)
  })

  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

  test(`under faults at random nothing is missed (SEED=${seed})`, async () => {
    const random = seeded(seed)
    const consumer = consume(away.url)
    await eventually(() => consumer.last !== undefined, until)
    const { written, stop } = keepWriting(house)
    const names = Object.keys(faults)
    for (let n = 0; n < 6; n++) {
      const [strike, mend] = faults[names[Math.floor(random() * names.length)]!]!
      await strike()
      await lasting(random() * 800)
      await mend()
      await more(written, 1 + Math.floor(random() * 10))
    }
    const all = await stop()
    await eventually(() => expect(missingFrom(consumer.seen, all)).toEqual([]), until)
    expect([consumer.resets, consumer.failures]).toEqual([[], []])
  }, 180_000)
})

describe('Postgres out of reach', () => {
  test('who is at the head stays; who is further back is told to come again, and then misses nothing', async () => {
    const database = await emptyDatabase()
    const proxy = await faultProxy(database.url)
    const house = await startShop({ database })
    onTestFinished(async () => {
      await house.stop()
      await proxy.close()
    })
    const near = consume(house.read.url)
    await eventually(() => near.last !== undefined, until)
    const start = near.following.token!
    const { written, stop } = keepWriting(house)
    await more(written)
    // Started later, so that it has nothing of it in memory.
    const reader = await house.start('read', { DATABASE_URL: proxy.url })
    proxy.hang()
    const answer = await reader.get('/v1/changes', { 'Last-Event-ID': start })
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
    expect(answer.json<{ detail: string }>().detail).toContain('Postgres')
    const head = consume(reader.url)
    const behind = consume(reader.url, { from: start })
    await more(written)
    await eventually(() => expect(missingFrom(head.seen, written.slice(-3))).toEqual([]), until)
    expect(behind.seen.size).toBe(0)
    await proxy.heal()
    const all = await stop()
    await eventually(() => expect(missingFrom(behind.seen, all)).toEqual([]), until)
    expect([head.resets, behind.resets, behind.failures]).toEqual([[], [], []])
  })
})

/** A fault that lasts. */
async function lasting(ms: number): Promise<void> {
  const since = performance.now()
  await eventually(() => performance.now() - since > ms, until)
}

/** Numbers in [0, 1) that come again with their seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
