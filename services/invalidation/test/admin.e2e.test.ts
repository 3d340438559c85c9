/** What operators use: dead letters, cursors, Bull Board; and who may. */
import { documentedBy, eventually } from '@tidemark/testkit'
import type { House, Received, Sending } from '@tidemark/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startShop } from './fixture/shop.js'
import { startReceiver, status } from './fixture/receiver.js'
import type { Receiver } from './fixture/receiver.js'

const token = 'a-token-of-this-test'
const bearer = { Authorization: `Bearer ${token}` }
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const until = { timeoutMs: 30_000 }
const queue = 'webhooks-orders'

interface Page {
  queues: { queue: string; dead: number }[]
  data: { queue: string; id: string; error: string; attempts: number }[]
  next: string | null
}

let house: House
let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver({ isShared: true })
  const hook = {
    name: 'orders',
    url: receiver.url,
    secretEnv: 'ORDERS_SECRET',
    attempts: 2,
    retryAfter: '10ms',
  }
  house = await startShop({
    services: ['invalidation'],
    env: { ADMIN_TOKEN: token, WEBHOOKS: JSON.stringify([hook]), ORDERS_SECRET: secret },
  })
  await eventually(async () => (await get('/v1/cursors')).text.includes('webhook:orders'), until)
})
afterAll(async () => {
  await house.stop()
  await receiver.close()
})
beforeEach(async () => {
  receiver.answer = status(204)
  await send('POST', '/v1/dead-letters:discard', { json: { queue } })
})

const send = (method: string, path: string, sending: Sending = {}): Promise<Received> =>
  house.invalidation.send(method, path, { ...sending, headers: { ...bearer, ...sending.headers } })
const get = (path: string): Promise<Received> => send('GET', path)
const page = async (query = ''): Promise<Page> => (await get(`/v1/dead-letters${query}`)).json<Page>()

const dead = async (): Promise<number> => (await page()).queues.find((one) => one.queue === queue)!.dead

/** As many letters, each of a message of its own, dead by a refusal. */
async function die(count: number): Promise<string[]> {
  receiver.answer = status(400)
  for (let i = 1; i <= count; i++) {
    await house.invalidation.send('POST', '/v1/invalidations', {
      json: { tags: [`x:${i}`], reason: 'a test' },
    })
    await eventually(async () => (await dead()) === i, until)
  }
  return (await page(`?queue=${queue}&limit=100`)).data.map(({ id }) => id)
}

describe('who may', () => {
  const paths = [
    ['GET', '/v1/dead-letters'],
    ['GET', '/V1/Dead-Letters'],
    ['GET', `/v1/dead-letters/${queue}/1`],
    ['DELETE', `/v1/dead-letters/${queue}/1`],
    ['POST', `/v1/dead-letters/${queue}/1:retry`],
    ['POST', '/v1/dead-letters:retry'],
    ['POST', '/v1/dead-letters:discard'],
    ['GET', '/v1/cursors'],
    ['DELETE', '/v1/cursors/webhook:orders'],
    ['GET', '/admin/queues'],
    ['GET', '/admin/queues/static/css/main.css'],
    ['GET', '/admin/queues/api/queues'],
    ['GET', '/ADMIN/queues/api/queues'],
  ] as const

  test.each(paths)('%s %s: nobody without the token', async (method, path) => {
    for (const authorization of [
      undefined,
      'Bearer another-token-of-16',
      `Bearer ${token}x`,
      'Basic eA==',
      `Digest ${token}`,
    ]) {
      const headers: Record<string, string> =
        authorization === undefined ? {} : { Authorization: authorization }
      const answer = await house.invalidation.send(method, path, { headers })
      expect([authorization, answer.status]).toEqual([authorization, 401])
      expect(answer.headers['www-authenticate']).toMatch(/^(Bearer|Basic) realm="tidemark admin"$/)
    }
  })

  test('a browser may, with the token as the password; a page of another site may not', async () => {
    const basic = { Authorization: `Basic ${Buffer.from(`somebody:${token}`).toString('base64')}` }
    expect((await house.invalidation.send('GET', '/admin/queues', { headers: basic })).status).toBe(200)
    const foreign = { ...basic, 'Sec-Fetch-Site': 'cross-site' }
    const sending = { json: { queue }, headers: foreign }
    expect((await house.invalidation.send('POST', '/v1/dead-letters:discard', sending)).status).toBe(403)
  })

  test('without ADMIN_TOKEN everybody is told that it is not set', async () => {
    const open = await house.start('invalidation', { ADMIN_TOKEN: '', WEBHOOKS: '' })
    for (const [method, path] of paths) {
      const answer = await open.send(method, path, { headers: bearer })
      expect(answer.status).toBe(403)
      expect(answer.text).toContain('ADMIN_TOKEN is not set')
    }
    expect(open.process.output()).toContain('ADMIN_TOKEN is not set')
    await open.process.kill('SIGTERM')
  })
})

describe('dead letters', () => {
  test('what was refused is listed, shown, retried and then delivered', async () => {
    const [id] = await die(1)
    expect((await page()).data).toMatchObject([{ queue, id, error: 'it answered 400', attempts: 1 }])
    const shown = await get(`/v1/dead-letters/${queue}/${id}`)
    expect(shown.json()).toMatchObject({ id, data: { kind: 'changes', changes: [{ tags: ['x:1'] }] } })
    expect(shown.text).not.toContain(secret)
    receiver.answer = status(204)
    const before = receiver.got.length
    expect((await send('POST', `/v1/dead-letters/${queue}/${id}:retry`)).status).toBe(204)
    await eventually(() => receiver.got.length > before, until)
    expect(receiver.got.at(-1)!.body).toContain('"x:1"')
    await eventually(async () => (await get(`/v1/dead-letters/${queue}/${id}`)).status === 409, until)
    expect((await send('POST', `/v1/dead-letters/${queue}/${id}:retry`)).status).toBe(409)
    expect((await send('DELETE', `/v1/dead-letters/${queue}/${id}`)).status).toBe(409)
  })

  test('pages follow each other', async () => {
    const ids = await die(3)
    const first = await page(`?limit=2`)
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 2))
    const second = await page(`?limit=2&cursor=${first.next!}`)
    expect(second).toMatchObject({ data: [{ id: ids[2] }], next: null })
  })

  test('a dry run tells which and changes nothing; the same without it does it', async () => {
    const ids = await die(3)
    const filter = { error: '400', ids: ids.slice(0, 2) }
    const before = receiver.got.length
    for (const verb of ['retry', 'discard']) {
      const dry = await send('POST', `/v1/dead-letters:${verb}`, { json: { queue, filter, dryRun: true } })
      expect(dry.json()).toEqual({ count: 2, ids: ids.slice(0, 2), more: false })
    }
    expect((await page(`?queue=${queue}`)).data.map(({ id }) => id)).toEqual(ids)
    expect(receiver.got).toHaveLength(before)
    receiver.answer = status(204)
    const retried = await send('POST', '/v1/dead-letters:retry', { json: { queue, filter } })
    expect(retried.json()).toMatchObject({ count: 2 })
    await eventually(() => receiver.got.length === before + 2, until)
    const none = { queue, filter: { error: 'of another kind' } }
    expect((await send('POST', '/v1/dead-letters:discard', { json: none })).json()).toMatchObject({
      count: 0,
    })
    expect((await send('POST', '/v1/dead-letters:discard', { json: { queue } })).json()).toMatchObject({
      count: 1,
    })
    expect((await page()).data).toEqual([])
  })

  test('what is discarded is gone, and the log says what it was', async () => {
    const [id] = await die(1)
    expect((await send('DELETE', `/v1/dead-letters/${queue}/${id}`)).status).toBe(204)
    expect((await get(`/v1/dead-letters/${queue}/${id}`)).status).toBe(404)
    const line = house.invalidation.process
      .output()
      .split('\n')
      .find((text) => text.includes('a dead letter was discarded') && text.includes(id!))
    expect(line).toContain('x:1')
  })

  test('what is no dead letter is not found, and bad input is named', async () => {
    for (const [path, wanted] of [
      [`/v1/dead-letters/${queue}/nothing`, 404],
      [`/v1/dead-letters/${queue}/meta`, 404],
      [`/v1/dead-letters/${queue}/failed`, 404],
      ['/v1/dead-letters/webhooks-other/1', 404],
      ['/v1/dead-letters/other/1', 400],
      ['/v1/dead-letters?queue=other', 400],
      ['/v1/dead-letters?limit=0', 400],
      ['/v1/dead-letters?limit=101', 400],
      ['/v1/dead-letters?cursor=x', 400],
      ['/v1/dead-letters?other=1', 400],
    ] as const)
      expect([path, (await get(path)).status]).toEqual([path, wanted])
    for (const json of [
      {},
      { queue: 'x' },
      { queue, filter: { other: 1 } },
      { queue, dryRun: 'yes' },
      { queue, filter: { before: 'now' } },
    ])
      expect((await send('POST', '/v1/dead-letters:retry', { json })).status).toBe(422)
  })
})

describe('cursors', () => {
  test('one that is held stays; one whose consumer is gone can be forgotten', async () => {
    expect((await send('DELETE', '/v1/cursors/webhook:orders')).status).toBe(409)
    await house.sql(`INSERT INTO tidemark.cursor (name, term, position) VALUES ('webhook:gone', 1, 1)`)
    expect((await get('/v1/cursors')).text).toContain('webhook:gone')
    expect(await house.invalidation.metric('tidemark_cursor_position', { cursor: 'webhook:gone' })).toBe(1)
    expect((await send('DELETE', '/v1/cursors/webhook:gone')).status).toBe(204)
    expect((await send('DELETE', '/v1/cursors/webhook:gone')).status).toBe(404)
  })
})

test('Bull Board works under its policy, and asks nobody else', async () => {
  const html = await get('/admin/queues')
  expect(html.status).toBe(200)
  expect(html.headers['content-security-policy']).toContain("default-src 'none'")
  const asked = [...html.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!)
  expect(asked.filter((address) => !/^(static\/|\/admin\/queues)/.test(address))).toEqual([])
  for (const address of asked.filter((one) => one.startsWith('static/')))
    expect([address, (await get(`/admin/queues/${address}`)).status]).toEqual([address, 200])
  const queues = (await get('/admin/queues/api/queues')).json<{ queues: { name: string }[] }>()
  expect(queues.queues.map(({ name }) => name)).toContain(queue)
})

test('the answers are as documented', async () => {
  await die(1)
  const documented = await documentedBy(house.invalidation)
  expect(documented.faults).toBeUndefined()
  for (const [operation, answer] of [
    ['get /v1/dead-letters', await get('/v1/dead-letters')],
    [
      'get /v1/dead-letters/{queue}/{id}',
      await get(`/v1/dead-letters/${queue}/${(await page()).data[0]!.id}`),
    ],
    ['get /v1/cursors', await get('/v1/cursors')],
    [
      'post /v1/dead-letters:retry',
      await send('POST', '/v1/dead-letters:retry', { json: { queue, dryRun: true } }),
    ],
  ] as const)
    expect(documented.mismatch(operation, answer)).toBe('')
})
