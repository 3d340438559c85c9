/** The invalidation service's contract: its document, and bad input on every endpoint. */
import { documentedBy, judgeRefusal } from '@tidemark/testkit'
import type { House, Refusal } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startShop } from './fixture/shop.js'

let house: House
beforeAll(async () => {
  house = await startShop({ services: ['invalidation'] })
})
afterAll(() => house.stop())

const path = '/v1/invalidations'
const good = { tags: ['product:1'], reason: 'a test' }

const ofBody = ([because, json, status, field]: [string, unknown, number, string?]): Refusal => ({
  ...{ because, method: 'POST', path, sending: { json }, status },
  ...(field !== undefined && { field }),
})
const raw = ([because, body, status, type = 'application/json']: [
  string,
  string,
  number,
  string?,
]): Refusal => ({
  ...{ because, method: 'POST', path, sending: { body, headers: { 'Content-Type': type } }, status },
})

const cases: [string, unknown, number, string?][] = [
  ['no tags', { reason: 'x' }, 422, '/tags'],
  ['no reason', { tags: ['x'] }, 422, '/reason'],
  ['tags none', { ...good, tags: [] }, 422, '/tags'],
  ['tags too many', { ...good, tags: Array.from({ length: 1_001 }, (_, i) => `t:${i}`) }, 422, '/tags'],
  ['tags a text', { ...good, tags: 'product:1' }, 422, '/tags'],
  ['tag empty', { ...good, tags: ['product', ''] }, 422, '/tags/1'],
  ['tag of blanks', { ...good, tags: [' '] }, 422, '/tags/0'],
  ['tag with a blank around', { ...good, tags: ['product '] }, 422, '/tags/0'],
  ['tag a number', { ...good, tags: [1] }, 422, '/tags/0'],
  ['tag null', { ...good, tags: [null] }, 422, '/tags/0'],
  ['tag too long', { ...good, tags: ['x'.repeat(601)] }, 422, '/tags/0'],
  ['tag with NUL', { ...good, tags: ['a\0b'] }, 422, '/tags/0'],
  ['tag with a new line', { ...good, tags: ['a\nb'] }, 422, '/tags/0'],
  ['tag with half of a surrogate pair', { ...good, tags: ['\ud800'] }, 422, '/tags/0'],
  ['reason empty', { ...good, reason: '' }, 422, '/reason'],
  ['reason too long', { ...good, reason: 'x'.repeat(501) }, 422, '/reason'],
  ['reason a number', { ...good, reason: 1 }, 422, '/reason'],
  ['reason with NUL', { ...good, reason: 'a\0b' }, 422, '/reason'],
  ['reason with half of a surrogate pair', { ...good, reason: '\udc00' }, 422, '/reason'],
  ['unknown field', { ...good, at: 1 }, 422, '/at'],
  ['an array', [good], 422, ''],
  ['nothing said of', { reason: 'x' }, 422, '/tags'],
  ['resources none', { ...good, resources: [] }, 422, '/resources'],
  ['resource with its tag', { ...good, resources: ['product!all'] }, 422, '/resources/0'],
  ['namespace with a colon', { namespace: 'a:b', reason: 'x' }, 422, '/namespace'],
  ['namespace empty', { namespace: '', reason: 'x' }, 422, '/namespace'],
  ['keys without a namespace', { ...good, keys: ['a'] }, 422, '/keys'],
  ['prefix without a namespace', { ...good, prefix: 'a' }, 422, '/prefix'],
  ['keys and a prefix', { namespace: 'a', keys: ['a'], prefix: 'a', reason: 'x' }, 422, '/prefix'],
  ['key with NUL', { namespace: 'a', keys: ['a\0'], reason: 'x' }, 422, '/keys/0'],
  ['key too long', { namespace: 'a', keys: ['x'.repeat(501)], reason: 'x' }, 422, '/keys/0'],
  ['prefix empty', { namespace: 'a', prefix: '', reason: 'x' }, 422, '/prefix'],
  [
    'too many together',
    { ...good, namespace: 'a', keys: Array.from({ length: 1_000 }, (_, i) => `k${i}`) },
    422,
    '/tags',
  ],
]
const batches: [string, unknown, number, string?][] = [
  ['not a batch', good, 422, '/invalidations'],
  ['batch of none', { invalidations: [] }, 422, '/invalidations'],
  ['batch too long', { invalidations: Array.from({ length: 101 }, () => good) }, 422, '/invalidations'],
  ['one of them wrong', { invalidations: [good, { ...good, reason: '' }] }, 422, '/invalidations/1/reason'],
  [
    'too many tags in all',
    {
      invalidations: [0, 1].map((n) => ({
        ...good,
        tags: Array.from({ length: 501 }, (_, i) => `t:${n}:${i}`),
      })),
    },
    422,
    '/invalidations',
  ],
]
const keys: Refusal[] = ['', 'two words', 'x'.repeat(256), 'ü'].map((key) => ({
  because: `Idempotency-Key ${key.slice(0, 10)}`,
  method: 'POST',
  path,
  sending: {
    body: JSON.stringify(good),
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
  },
  status: 400,
  field: 'Idempotency-Key',
}))
const texts: [string, string, number, string?][] = [
  ['not JSON', '{"tags":', 400],
  ['JSON that is no document', '"*"', 400],
  ['no body', '', 400],
  ['another type', '*', 415, 'text/plain'],
  ['huge', JSON.stringify({ ...good, reason: 'x'.repeat(400_000) }), 413],
  ['nested too deep', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`, 422],
  ['name of a prototype', '{"tags":["x"],"reason":"x","__proto__":{}}', 422],
]
const routes: Refusal[] = (
  [
    ['GET', path, 405],
    ['PUT', path, 405],
    ['DELETE', path, 405],
    ['POST', '/v1/status', 405],
    ['DELETE', '/v1/status', 405],
    ['GET', '/v1/nothing', 404],
    ['GET', '/v1/status/1', 404],
    ['GET', '/v1/status%00', 400],
    ['GET', '/v1/%ff', 400],
  ] as const
).map(([method, place, status]) => ({ because: 'no such route', method, path: place, status }))

test('bad input is refused by name, and the database is as it was', async () => {
  const before = await house.checksum()
  const faults: string[] = []
  const all = [
    ...cases.map(ofBody),
    ...batches.map(ofBody).map((refusal) => ({ ...refusal, path: `${path}:batch` })),
    ...texts.map(raw),
    ...keys,
    ...routes,
  ]
  for (const refusal of all) {
    const fault = await judgeRefusal(house.invalidation, refusal)
    if (fault !== '') faults.push(`${refusal.because} (${refusal.method} ${refusal.path}): ${fault}`)
  }
  expect(faults).toEqual([])
  expect(await house.checksum()).toBe(before)
})

test('the document is valid, names every route, and answers are as documented', async () => {
  const api = await documentedBy(house.invalidation)
  expect(api.faults).toBeUndefined()
  expect(api.operations.toSorted()).toEqual([
    'delete /v1/cursors/{name}',
    'delete /v1/dead-letters/{queue}/{id}',
    'get /v1/audit',
    'get /v1/cursors',
    'get /v1/dead-letters',
    'get /v1/dead-letters/{queue}/{id}',
    'get /v1/status',
    'post /v1/dead-letters/{queue}/{id}:retry',
    'post /v1/dead-letters:discard',
    'post /v1/dead-letters:retry',
    'post /v1/invalidations',
    'post /v1/invalidations:batch',
  ])
  const send = house.invalidation.send
  const invalidate = 'post /v1/invalidations'
  expect(api.mismatch('get /v1/audit', await send('GET', '/v1/audit'))).toBe('')
  expect(api.mismatch('get /v1/status', await send('GET', '/v1/status'))).toBe('')
  expect(api.mismatch(invalidate, await send('POST', path, { json: good }))).toBe('')
  expect(api.mismatch(invalidate, await send('POST', path, { json: {} }))).toBe('')
})
