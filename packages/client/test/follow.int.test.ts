import { eventually } from '@tidemark/testkit'
import { expect, onTestFinished, test } from 'vitest'

import type { ClientError, FeedEvent, Following, FollowOptions } from '../src/index.js'
import { follow } from '../src/index.js'
import type { Answer } from './scripted-feed.js'
import { change, heartbeat, refuse, scriptedFeed, tell, tellAndEnd } from './scripted-feed.js'

const until = { timeoutMs: 20_000 }

interface Interruption {
  readonly error: ClientError
  readonly pauseMs: number
}

/** Follows without long pauses; what interrupted it is noted. */
function quickly(url: string | string[], options: Partial<FollowOptions> = {}) {
  const interruptions: Interruption[] = []
  const following = follow({
    url,
    backoffMaxMs: 20,
    random: () => 0,
    onInterrupted: (error, pauseMs) => interruptions.push({ error, pauseMs }),
    ...options,
  })
  onTestFinished(async () => {
    await following.return()
  })
  return { following, interruptions }
}

async function take(following: Following, count: number): Promise<FeedEvent[]> {
  const events: FeedEvent[] = []
  while (events.length < count) events.push((await following.next()).value!)
  return events
}

const keysOf = (events: readonly FeedEvent[]): string[] =>
  events.map((event) => (event.kind === 'change' ? event.key! : event.kind))

test('what breaks off is resumed after the last event, and in the middle of a position at its beginning', async () => {
  const feed = await scriptedFeed(
    tellAndEnd(heartbeat('1-1'), change('a', '1-2'), change('b', '1-3', false)),
    tell(heartbeat('1-2'), change('b', '1-3', false), change('c', '1-3')),
  )
  const { following } = quickly(feed.url)
  const events = await take(following, 6)
  expect(keysOf(events)).toEqual(['heartbeat', 'a', 'b', 'heartbeat', 'b', 'c'])
  expect(events.map(({ resume }) => resume)).toEqual(['1-1', '1-2', '1-2', '1-2', '1-2', '1-3'])
  expect(feed.requests.map(({ place }) => place)).toEqual([undefined, '1-2'])
  expect(following.token).toBe('1-3')
})

test('it begins where it is told, and asks for what it is told to', async () => {
  const feed = await scriptedFeed(tell(heartbeat('1-7')))
  const filters = { resources: ['product', 'brand'], tags: ['a=1,2', 'b&c'] }
  const { following } = quickly(`${feed.url}/base`, { from: '1-7', ...filters })
  await take(following, 1)
  const { path, place } = feed.requests[0]!
  const { pathname, searchParams } = new URL(path, feed.url)
  expect([place, pathname, searchParams.get('resource'), searchParams.getAll('tag')]).toEqual([
    ...['1-7', '/base/v1/changes', 'product,brand'],
    ['a=1,2', 'b&c'],
  ])
})

test('a reset is given with its reason', async () => {
  const feed = await scriptedFeed(
    tell(heartbeat('1-1'), 'event: reset\nid: 2-9\ndata: {"reason":"epoch","token":"2-9"}\n\n'),
  )
  const [, reset] = await take(quickly(feed.url).following, 2)
  expect(reset).toEqual({ kind: 'reset', reason: 'epoch', token: '2-9', resume: '2-9' })
})

test('an event of an unknown kind is passed over, and its place is kept', async () => {
  const feed = await scriptedFeed(
    tellAndEnd(heartbeat('1-1'), 'event: news\nid: 1-5\ndata: x\n\n: a comment\n\n'),
    tell(heartbeat('1-5')),
  )
  await take(quickly(feed.url).following, 2)
  expect(feed.requests[1]!.place).toBe('1-5')
})

test.each([400, 401, 404])('%i is thrown at once, with what the service said', async (status) => {
  const feed = await scriptedFeed(refuse(status))
  const { following, interruptions } = quickly(feed.url)
  await expect(following.next()).rejects.toMatchObject({
    ...{ code: 'client.refused', status },
    message: `${status}: Not so; resource holds names that are not known`,
  })
  expect(await following.next()).toEqual({ done: true, value: undefined })
  expect(interruptions).toEqual([])
})

test.each<[string, Answer]>([
  ['data that is no JSON', tell('event: change\ndata: {\n\n')],
  ['a change without its tags', tell('event: change\ndata: {"resource":"x","token":"1-1"}\n\n')],
  ['a page', (res) => res.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>')],
  [
    'an event without end',
    (res, req) => {
      tell('data: ')(res, req)
      for (let i = 0; i < 9; i++) res.write('x'.repeat(1_048_576))
    },
  ],
])('%s is thrown: it is no feed', async (_, answer) => {
  const { following } = quickly((await scriptedFeed(answer)).url)
  await expect(following.next()).rejects.toMatchObject({ code: 'client.malformed' })
})

test.each([408, 429, 500, 502, 503])('%i is tried again', async (status) => {
  const feed = await scriptedFeed(refuse(status), refuse(status), tell(heartbeat('1-1')))
  const { following, interruptions } = quickly(feed.url)
  expect(keysOf(await take(following, 1))).toEqual(['heartbeat'])
  expect(interruptions.map(({ error }) => [error.code, error.status])).toEqual([
    ['client.unreachable', status],
    ['client.unreachable', status],
  ])
})

test('the pauses double up to a bound, are spread, and heed what the service wishes', async () => {
  const feed = await scriptedFeed(
    tellAndEnd('retry: 8\n\n', heartbeat('1-1')),
    ...[refuse(503), refuse(503), refuse(503), refuse(503)],
    tell(heartbeat('1-1')),
  )
  const { following, interruptions } = quickly(feed.url, { backoffMaxMs: 100, random: () => 0.5 })
  await take(following, 2)
  expect(interruptions.map(({ pauseMs }) => pauseMs)).toEqual([6, 12, 24, 48, 75])
})

test('Retry-After is waited for', async () => {
  const feed = await scriptedFeed(refuse(503, { 'Retry-After': '1' }), tell(heartbeat('1-1')))
  const { following, interruptions } = quickly(feed.url)
  await take(following, 1)
  expect(interruptions.map(({ pauseMs }) => pauseMs)).toEqual([1_000])
})

test('a service that is gone, silent before its answer or silent after it, is left for the next', async () => {
  const silent = await scriptedFeed(() => undefined)
  const dumb = await scriptedFeed(tell(heartbeat('1-1')))
  const good = await scriptedFeed(tell(change('a', '1-2')))
  const { following, interruptions } = quickly(['http://127.0.0.1:1', silent.url, dumb.url, good.url], {
    ...{ connectTimeoutMs: 200, silenceMs: 200 },
  })
  expect(keysOf(await take(following, 2))).toEqual(['heartbeat', 'a'])
  expect(good.requests.map(({ place }) => place)).toEqual(['1-1'])
  expect(interruptions.map(({ error }) => error.code)).toEqual(Array(3).fill('client.unreachable'))
})

test.each(['return', 'abort'] as const)(
  '%s ends it, also while it waits for an event or for an attempt',
  async (how) => {
    const quiet = await scriptedFeed(tell(heartbeat('1-1')))
    for (const url of [quiet.url, 'http://127.0.0.1:1']) {
      const aborting = new AbortController()
      const { following, interruptions } = quickly(url, { signal: aborting.signal, backoffMaxMs: 1e9 })
      if (url === quiet.url) await take(following, 1)
      const waiting = following.next()
      if (url !== quiet.url) await eventually(() => interruptions.length > 0, until)
      if (how === 'return') await following.return()
      else aborting.abort()
      expect(await waiting).toEqual({ done: true, value: undefined })
      expect(await following.next()).toEqual({ done: true, value: undefined })
    }
  },
)

test('breaking out of the loop closes the connection', async () => {
  let isClosed = false
  const feed = await scriptedFeed((res, req) => {
    res.on('close', () => (isClosed = true))
    tell(heartbeat('1-1'))(res, req)
  })
  for await (const { kind } of quickly(feed.url).following) {
    expect(kind).toBe('heartbeat')
    break
  }
  await eventually(() => isClosed, until)
})

test('nothing is read while the consumer is busy: the service feels it', async () => {
  const total = 2_000
  let taken = 0
  const feed = await scriptedFeed(async (res, req) => {
    tell(heartbeat('1-0'))(res, req)
    for (let n = 1; n <= total; n++) {
      const frame = change('x'.repeat(32_768), `1-${n}`)
      if (!res.write(frame)) await new Promise((resolve) => res.once('drain', resolve))
      taken = n
    }
  })
  const { following } = quickly(feed.url)
  await take(following, 1)
  let before = -1
  // Until it stands still: 64 MB were on offer.
  await eventually(
    () => {
      const stands = before === taken
      before = taken
      return stands
    },
    { timeoutMs: 20_000, everyMs: 500 },
  )
  expect(taken).toBeLessThan(total / 2)
  await take(following, total)
  expect(following.token).toBe(`1-${total}`)
})
