/** The change feed of the read service: what is told, from where, and to how many. */
import { eventually } from '@tidemark/testkit'
import type { House, ServiceProcess } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startShop } from './fixture/shop.js'
import { subscribe } from './fixture/subscriber.js'
import type { Subscriber } from './fixture/subscriber.js'

const until = { timeoutMs: 20_000 }

let house: House
beforeAll(async () => {
  house = await startShop()
})
afterAll(() => house.stop())

/** Commits one change of this product and gives its key. */
async function touch(id: number): Promise<string> {
  await house.sql('UPDATE product SET stock = stock + 1 WHERE id = $1', [id])
  return String(id)
}

const changesOf = ({ told }: Subscriber) => told.filter(({ event }) => event === 'change')
const follow = (path?: string, headers?: Record<string, string>): Promise<Subscriber> =>
  subscribe(house.read.url, path, headers)
const resume = (place: string): Promise<Subscriber> => follow('/v1/changes', { 'Last-Event-ID': place })

describe('what is told', () => {
  test('the stream begins with the place to resume from, and nothing on the way holds it back', async () => {
    const subscriber = await follow()
    // Long before a heartbeat is due.
    await eventually(() => subscriber.told.length > 0, { timeoutMs: 10_000 })
    expect(subscriber.text).toMatch(/^retry: 1000\n\nevent: heartbeat\nid: \d+-\d+\n/)
    expect(subscriber.status).toBe(200)
    expect(subscriber.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
  })

  test('a write is told with its key, tags and version, and with a token that a read can send', async () => {
    const subscriber = await follow()
    const answer = await house.write.send('PATCH', '/v1/products/11', { json: { stock: 4_711 } })
    const { version } = answer.json<{ version: number }>()
    const [told] = await eventually(() => {
      expect(changesOf(subscriber)).toHaveLength(1)
      return changesOf(subscriber)
    }, until)
    expect(told!.data).toMatchObject({ resource: 'product', key: '11', operation: 'update', version })
    expect(told!.data['tags']).toEqual(expect.arrayContaining(['product:11', 'product']))
    expect(told!.id).toBe(told!.data.token)
    const read = await house.read.get('/v1/products/11', { Tidemark: told!.data.token })
    expect(read.json()).toMatchObject({ stock: 4_711, version })
  })

  test('an invalidation of data outside Postgres is told, also to who asked for its tag', async () => {
    const [all, tagged, other] = await Promise.all([
      follow(),
      follow('/v1/changes?tag=s3:report'),
      follow('/v1/changes?tag=s3:other'),
    ])
    await house.invalidation.send('POST', '/v1/invalidations', {
      json: { tags: ['s3:report'], reason: 'a test' },
    })
    await eventually(() => {
      for (const subscriber of [all, tagged])
        expect(changesOf(subscriber).map(({ data }) => data)).toMatchObject([
          { resource: '-', key: null, operation: 'invalidate', tags: ['s3:report'] },
        ])
    }, until)
    expect(changesOf(other)).toEqual([])
  })

  test('a product that moves from category 5 to 7 is told to followers of either, and not of 6', async () => {
    await house.sql('UPDATE product SET category_id = 5 WHERE id = 12')
    await eventually(async () => {
      const { place } = await opened(await follow())
      expect((await house.read.get('/v1/products/12', { Tidemark: place })).json()).toMatchObject({
        categoryId: 5,
      })
    }, until)
    const [five, six, seven, brands, twice] = await Promise.all(
      [
        'tag=product.categoryId%3D5',
        'tag=product.categoryId=6',
        'resource=product&tag=product.categoryId=7',
        'resource=brand',
        'tag=product.categoryId=6&tag=product.categoryId=7&resource=brand,product',
      ].map((query) => follow(`/v1/changes?${query}`)),
    )
    await house.sql('UPDATE product SET category_id = 7 WHERE id = 12')
    await house.sql(`UPDATE product SET stock = stock + 1`)
    // More than a statement may tell row by row is told as a change of everything, below.
    await eventually(() => {
      for (const subscriber of [five!, seven!, twice!]) expect(subscriber.keys[0]).toBe('12')
    }, until)
    await house.sql(
      `INSERT INTO tidemark.outbox (resource, operation, tags) VALUES ('product', 'bulk', '{product!all}')`,
    )
    await eventually(() => {
      for (const subscriber of [five!, six!, seven!, twice!])
        expect(changesOf(subscriber).at(-1)?.data['operation']).toBe('bulk')
    }, until)
    expect(changesOf(brands!)).toEqual([])
    expect(six!.keys.includes('12') && !(await categoryIs(12, 6))).toBe(false)
  })

  test('of a statement of many rows the last change alone has an id: who breaks off before it is told all again', async () => {
    const subscriber = await follow()
    await house.sql('UPDATE product SET stock = stock + 1 WHERE id IN (21, 22, 23)')
    await eventually(() => changesOf(subscriber).length === 3, until)
    expect(changesOf(subscriber).map(({ id }) => id === undefined)).toEqual([true, true, false])
  })
})

const categoryIs = async (id: number, categoryId: number): Promise<boolean> =>
  (await house.sql('SELECT 1 FROM product WHERE id = $1 AND category_id = $2', [id, categoryId])).length > 0

/** With its first heartbeat, and so a place, at hand. */
async function opened(subscriber: Subscriber): Promise<Subscriber> {
  await eventually(() => subscriber.place !== '', until)
  return subscriber
}

describe('from where', () => {
  test('the changes after an id are told, however it is sent; the header wins over the first URL', async () => {
    const first = await opened(await follow())
    const start = first.place
    for (const id of [31, 32, 33]) {
      await touch(id)
      await eventually(() => first.keys.includes(String(id)), until)
    }
    const middle = changesOf(first)[0]!.id!
    const byHeader = await resume(middle)
    const byQuery = await follow(`/v1/changes?lastEventId=${start}`)
    const byBoth = await follow(`/v1/changes?lastEventId=${start}`, { 'Last-Event-ID': middle })
    await eventually(() => {
      expect(byHeader.keys).toEqual(['32', '33'])
      expect(byQuery.keys).toEqual(['31', '32', '33'])
      expect(byBoth.keys).toEqual(['32', '33'])
    }, until)
  })

  test('a follower whose filter lets nothing pass comes forward by heartbeats', async () => {
    const reader = await house.start('read', { CHANGES_HEARTBEAT: '100ms' })
    const follower = await opened(await subscribe(reader.url, '/v1/changes?tag=product:999999'))
    const start = follower.place
    await touch(34)
    await eventually(() => follower.place !== start, until)
    expect(new Set(follower.told.map(({ event }) => event))).toEqual(new Set(['heartbeat']))
    await eventually(() => expect(follower.told.at(-1)!.data['lagMs']).toEqual(expect.any(Number)), until)
    const again = await resume(follower.place)
    await touch(35)
    await eventually(() => again.keys.length > 0, until)
    expect(again.keys).toEqual(['35'])
    await reader.process.kill('SIGKILL')
  })

  test('a place that was trimmed away, or never was, is a reset first, then the changes from then on', async () => {
    const { place } = await opened(await follow())
    await touch(36)
    await eventually(async () => {
      const [row] = await house.sql<{ position: string }>('SELECT position FROM tidemark.clock')
      expect(Number(row!.position)).toBeGreaterThan(Number(place.split('-')[1]))
    }, until)
    await house.sql('DELETE FROM tidemark.log WHERE position < (SELECT position FROM tidemark.clock)')
    // Another reader, which has nothing of it in memory.
    const reader = await house.start('read')
    const trimmed = await subscribe(reader.url, '/v1/changes', { 'Last-Event-ID': place })
    const unknown = await subscribe(reader.url, '/v1/changes', { 'Last-Event-ID': '1-900000000' })
    await eventually(() => {
      expect(trimmed.told.at(-1)).toMatchObject({ event: 'reset', data: { reason: 'trimmed' } })
      expect(unknown.told.at(-1)).toMatchObject({ event: 'reset', data: { reason: 'unknown' } })
    }, until)
    await touch(37)
    await eventually(() => {
      expect(trimmed.keys).toEqual(['37'])
      expect(unknown.keys).toEqual(['37'])
    }, until)
    await reader.process.kill('SIGKILL')
  })

  test('a new epoch is a reset to who listens and to who comes back, and the changes go on', async () => {
    const subscriber = await opened(await follow('/v1/changes?resource=brand'))
    const { place } = subscriber
    await house.sql('SELECT tidemark.new_epoch()')
    await house.sql(`UPDATE brand SET country = 'NL' WHERE id = 1`)
    const late = await resume(place)
    await eventually(() => {
      for (const { told } of [subscriber, late]) {
        expect(told.map(({ event }) => event).slice(1)).toEqual(['reset', 'change'])
        expect(told[1]).toMatchObject({ data: { reason: 'epoch' } })
        expect(told[2]).toMatchObject({ data: { key: '1', resource: 'brand' } })
      }
    }, until)
    expect(subscriber.place).toMatch(/^2-/)
  })
})

describe('to how many', () => {
  async function limited(env: Record<string, string>): Promise<ServiceProcess> {
    return house.start('read', env)
  }

  test('one subscriber too many is told to come later, and is let in when another has left', async () => {
    const reader = await limited({ CHANGES_MAX_SUBSCRIBERS: '2' })
    const [first] = await Promise.all([subscribe(reader.url), subscribe(reader.url)])
    const refused = await reader.get('/v1/changes')
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5'])
    expect(refused.json()).toMatchObject({ type: '/problems/overloaded' })
    expect(await reader.metric('tidemark_changes_subscribers')).toBe(2)
    first!.close()
    await eventually(async () => expect((await subscribe(reader.url)).status).toBe(200), until)
    expect(
      await reader.metric('tidemark_changes_streams_ended_total', { ending: 'refused' }),
    ).toBeGreaterThan(0)
    await reader.process.kill('SIGKILL')
  })

  test('one that takes nothing is cut off, keeps nobody waiting, and catches up by its last id', async () => {
    const reader = await limited({ CHANGES_SLOW_AFTER: '500ms' })
    const [slow, quick] = await Promise.all([subscribe(reader.url), subscribe(reader.url)])
    await opened(slow!)
    slow!.pause()
    // Some 15 MB: more than the sockets between hold.
    const tags = Array.from({ length: 500 }, (_, n) => `t${n}-${'x'.repeat(500)}`)
    const positions = 60
    for (let n = 0; n < positions; n++) {
      await house.sql(
        `INSERT INTO tidemark.outbox (resource, key, operation, tags) VALUES ('-', $1, 'invalidate', $2)`,
        [`slow-${n}`, tags],
      )
      await eventually(() => quick!.keys.length === n + 1, until)
    }
    await eventually(async () => {
      expect(await reader.metric('tidemark_changes_streams_ended_total', { ending: 'slow' })).toBe(1)
    }, until)
    slow!.resume()
    await eventually(() => slow!.hasEnded, until)
    const again = await subscribe(reader.url, '/v1/changes', { 'Last-Event-ID': slow!.place })
    await eventually(() => {
      const seen = new Set([...slow!.keys, ...again.keys])
      expect(seen.size).toBe(positions)
    }, until)
    expect(slow!.keys.length).toBeLessThan(positions)
    await reader.process.kill('SIGKILL')
  })

  test('SIGTERM ends every stream at once and the process with code 0', async () => {
    const reader = await limited({ SHUTDOWN_TIMEOUT: '60s' })
    const subscribers = await Promise.all(Array.from({ length: 20 }, () => subscribe(reader.url)))
    subscribers[0]!.pause()
    reader.process.signal('SIGTERM')
    expect(await reader.process.ended).toEqual({ code: 0, signal: null })
    for (const subscriber of subscribers) subscriber.resume()
    await eventually(() => subscribers.every(({ hasEnded }) => hasEnded), until)
  })
})

test('HEAD is answered and ends', async () => {
  const answer = await house.read.send('HEAD', '/v1/changes')
  expect([answer.status, answer.text]).toEqual([200, ''])
  expect(answer.headers['content-type']).toContain('text/event-stream')
})

test.each([
  ['resource=products', 'resource'],
  ['resource=', 'resource'],
  ['resource=product&resource=brand', 'resource'],
  ['tag=', 'tag.0'],
  ['tag=a%0Ab', 'tag.0'],
  [Array.from({ length: 65 }, (_, n) => `tag=t${n}`).join('&'), 'tag'],
  ['lastEventId=yesterday', 'lastEventId'],
  ['lastEventId=1-2&lastEventId=1-3', 'lastEventId'],
  ['since=1-1', 'since'],
])('%s is refused, naming %s', async (query, field) => {
  const answer = await house.read.get(`/v1/changes?${query}`)
  expect([answer.status, answer.headers['content-type']]).toEqual([400, 'application/problem+json'])
  expect(answer.json<{ errors: { field: string }[] }>().errors.map((error) => error.field)).toContain(field)
})

test('a Last-Event-ID that is no token is refused by name', async () => {
  for (const place of ['', '1', '1-2-3', 'x'.repeat(100), '1-99999999999999999']) {
    const answer = await house.read.get('/v1/changes', { 'Last-Event-ID': place })
    expect([place, answer.status]).toEqual([place, 400])
    expect(answer.json()).toMatchObject({ errors: [{ in: 'header', field: 'Last-Event-ID' }] })
  }
})
