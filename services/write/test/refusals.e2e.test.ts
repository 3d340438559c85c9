/** Bad input on every endpoint of the write service: a 4xx problem that names the field, and nothing is changed. */
import { judgeRefusal } from '@tidemark/testkit'
import type { House, Refusal } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { productBody } from './fixture/products.js'
import { startShop } from './fixture/shop.js'

let house: House
let before: string
beforeAll(async () => {
  house = await startShop({ services: ['write'] })
  before = await house.checksum()
})
afterAll(() => house.stop())

const good: Readonly<Record<string, Record<string, unknown>>> = {
  products: { ...productBody(), attributes: {} },
  brands: { slug: 'new-brand', name: 'New', country: 'DE' },
  categories: { slug: 'new-category', name: 'New', parentId: null },
}
const resources = Object.keys(good)

interface Endpoint {
  readonly method: string
  readonly path: string
}
const endpointsOf = (resource: string): readonly Endpoint[] => [
  { method: 'POST', path: `/v1/${resource}` },
  { method: 'PUT', path: `/v1/${resource}/1` },
  { method: 'PATCH', path: `/v1/${resource}/1` },
  { method: 'POST', path: `/v1/${resource}:batch` },
]

type Json = [because: string, json: unknown, status: number, field?: string]
const withJson = (endpoint: Endpoint, cases: readonly Json[]): Refusal[] =>
  cases.map(([because, json, status, field]) => ({
    ...{ because, ...endpoint, sending: { json }, status },
    ...(field !== undefined && { field }),
  }))

/** What no body may be, whatever its endpoint. */
const bodies = resources.flatMap((resource) =>
  endpointsOf(resource).flatMap((endpoint): Refusal[] => {
    const raw = (because: string, body: string | Buffer, status: number, headers = {}): Refusal => ({
      ...{ because, ...endpoint, status },
      sending: { body, headers: { 'Content-Type': 'application/json', ...headers } },
    })
    const deep = `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`
    return [
      raw('not JSON', '{"name":', 400),
      raw('JSON that is no document', '"name"', 400),
      raw('null', 'null', 400),
      raw('no body', '', 400),
      raw('another type', '<name/>', 415, { 'Content-Type': 'application/xml' }),
      raw('a form', 'name=x', 415, { 'Content-Type': 'application/x-www-form-urlencoded' }),
      raw('another charset', '{}', 415, { 'Content-Type': 'application/json; charset=utf-16' }),
      raw('an unknown encoding', '{}', 415, { 'Content-Encoding': 'lzma' }),
      raw('huge', JSON.stringify({ name: 'x'.repeat(1_100_000) }), 413),
      raw('nested too deep', deep, 422),
      raw('name of a prototype', '{"__proto__":{"a":1}}', 422),
      raw('prototype of a constructor', '{"constructor":{"prototype":{"a":1}}}', 422),
      ...withJson(endpoint, [
        ['an array', [1], 422, ''],
        ['an unknown field', { colour: 'red' }, 422, '/colour'],
      ]),
    ]
  }),
)

const fields = resources.flatMap((resource) => {
  const [post, put, patch] = endpointsOf(resource) as [Endpoint, Endpoint, Endpoint]
  const whole = (endpoint: Endpoint): Refusal[] =>
    withJson(endpoint, [
      ['slug missing', { ...good[resource], slug: undefined }, 422, '/slug'],
      ['name missing', { ...good[resource], name: undefined }, 422, '/name'],
      ['name empty', { ...good[resource], name: '' }, 422, '/name'],
      ['name too long', { ...good[resource], name: 'x'.repeat(201) }, 422, '/name'],
      ['name a number', { ...good[resource], name: 5 }, 422, '/name'],
      ['name null', { ...good[resource], name: null }, 422, '/name'],
      ['slug with a blank', { ...good[resource], slug: 'a b' }, 422, '/slug'],
      ['slug in capitals', { ...good[resource], slug: 'A' }, 422, '/slug'],
      ['NUL in a text', { ...good[resource], name: 'a\0b' }, 422, '/name'],
      ['half of a surrogate pair', { ...good[resource], name: '\ud800' }, 422, '/name'],
      ['id given', { ...good[resource], id: 1 }, 422, '/id'],
      ['version given', { ...good[resource], version: 9 }, 422, '/version'],
      ['createdAt given', { ...good[resource], createdAt: '2026-01-01T00:00:00Z' }, 422, '/createdAt'],
    ])
  return [
    ...whole(post),
    ...whole(put),
    ...withJson(patch, [
      ['nothing to change', {}, 422, ''],
      ['name null', { name: null }, 422, '/name'],
      ['name too long', { name: 'x'.repeat(201) }, 422, '/name'],
      ['slug with a blank', { slug: 'a b' }, 422, '/slug'],
      ['version given', { version: 9 }, 422, '/version'],
      ['good and bad', { name: 'Good', slug: '' }, 422, '/slug'],
      ['NUL in a text', { name: 'a\0b' }, 422, '/name'],
    ]),
  ]
})

const ofProducts = [
  { method: 'POST', path: '/v1/products' },
  { method: 'PUT', path: '/v1/products/1' },
].flatMap((endpoint) =>
  withJson(
    endpoint,
    (
      [
        ['price negative', { priceCents: -1 }, '/priceCents'],
        ['price a fraction', { priceCents: 1.5 }, '/priceCents'],
        ['price above 32 bits', { priceCents: 2 ** 31 }, '/priceCents'],
        ['price as text', { priceCents: '100' }, '/priceCents'],
        ['stock negative', { stock: -1 }, '/stock'],
        ['category of nothing', { categoryId: 2_147_483_647 }, '/categoryId'],
        ['category null', { categoryId: null }, '/categoryId'],
        ['category as text', { categoryId: '1' }, '/categoryId'],
        ['brand of nothing', { brandId: 2_147_483_647 }, '/brandId'],
        ['description too long', { description: 'x'.repeat(4_001) }, '/description'],
        ['attributes no object', { attributes: [] }, '/attributes'],
        ['attribute of another type', { attributes: { a: null } }, '/attributes/a'],
        ['attribute too long', { attributes: { a: 'x'.repeat(201) } }, '/attributes/a'],
        ['NUL in an attribute', { attributes: { a: 'x\0' } }, '/attributes'],
        ['NUL in an attribute name', { attributes: { 'a\0': 'x' } }, '/attributes'],
      ] as const
    ).map(([because, more, field]): Json => [because, { ...good['products'], ...more }, 422, field]),
  ),
)

const places = resources.flatMap((resource): Refusal[] => {
  const sending = { json: good[resource] }
  const at = (method: string, id: string, status: number, field?: string, headers = {}): Refusal => ({
    ...{ because: `id ${id.slice(0, 20)}`, method, path: `/v1/${resource}/${id}`, status },
    sending: method === 'DELETE' ? { headers } : { ...sending, headers },
    ...(field !== undefined && { field }),
  })
  return ['PUT', 'PATCH', 'DELETE'].flatMap((method) => [
    at(method, '0', 400, 'id'),
    at(method, '-1', 400, 'id'),
    at(method, '042', 400, 'id'),
    at(method, '1e3', 400, 'id'),
    at(method, '99999999999', 400, 'id'),
    at(method, '%D9%A1', 400, 'id'),
    at(method, '..%2f1', 400, 'id'),
    at(method, '1%00', 400),
    at(method, '%ff', 400),
    at(method, '../../1', 404),
    at(method, '2147483647', 404, 'id'),
    at(method, '1', 400, 'If-Match', { 'If-Match': 'abc' }),
    at(method, '1', 400, 'If-Match', { 'If-Match': '"a' }),
    at(method, '1', 400, 'If-Match', { 'If-Match': '"a" "b"' }),
    at(method, '1', 400, 'If-Match', { 'If-Match': '' }),
    at(method, '1', 400, 'If-Match', { 'If-Match': `"${'a'.repeat(3_000)}"` }),
    at(method, '1', 412, 'If-Match', { 'If-Match': '"1-abc"' }),
    at(method, '1', 412, 'If-Match', { 'If-Match': 'W/"1-abc"' }),
    at(method, '1', 400, 'Idempotency-Key', { 'Idempotency-Key': '' }),
    at(method, '1', 400, 'Idempotency-Key', { 'Idempotency-Key': 'a b' }),
    at(method, '1', 400, 'Idempotency-Key', { 'Idempotency-Key': 'x'.repeat(256) }),
    at(method, '1', 400, 'Idempotency-Key', { 'Idempotency-Key': 'schl\u00fcssel' }),
  ])
})

const batches = resources.flatMap((resource) => {
  const endpoint = { method: 'POST', path: `/v1/${resource}:batch` }
  const create = { op: 'create', data: good[resource] }
  return withJson(endpoint, [
    ['no operations', {}, 422, '/operations'],
    ['none', { operations: [] }, 422, '/operations'],
    ['too many', { operations: Array(101).fill({ op: 'delete', id: 1 }) }, 422, '/operations'],
    ['another type', { operations: create }, 422, '/operations'],
    ['unknown operation', { operations: [{ op: 'upsert', data: {} }] }, 422, '/operations/0/op'],
    ['no operation', { operations: [{ data: {} }] }, 422, '/operations/0/op'],
    ['create with an id', { operations: [{ ...create, id: 1 }] }, 422, '/operations/0/id'],
    ['id as text', { operations: [{ op: 'delete', id: '1' }] }, 422, '/operations/0/id'],
    ['id zero', { operations: [create, { op: 'delete', id: 0 }] }, 422, '/operations/1/id'],
    [
      'patch of nothing',
      { operations: [create, { op: 'patch', id: 1, data: {} }] },
      422,
      '/operations/1/data',
    ],
    [
      'bad field',
      { operations: [create, { op: 'patch', id: 1, data: { name: 5 } }] },
      422,
      '/operations/1/data/name',
    ],
    [
      'bad ifMatch',
      { operations: [create, { op: 'delete', id: 1, ifMatch: 'x' }] },
      422,
      '/operations/1/ifMatch',
    ],
    ['no such row', { operations: [create, { op: 'delete', id: 2_147_483_647 }] }, 404, '/operations/1/id'],
    ['the same slug twice', { operations: [create, create] }, 409, '/operations/1/data/slug'],
    ['beside operations', { operations: [create], dryRun: true }, 422, '/dryRun'],
  ])
})

const routes: Refusal[] = (
  [
    ['GET', '/v1/products', 405],
    ['PUT', '/v1/products', 405],
    ['DELETE', '/v1/products', 405],
    ['GET', '/v1/products/1', 405],
    ['POST', '/v1/products/1', 405],
    ['GET', '/v1/products:batch', 405],
    ['DELETE', '/v1/products:batch', 405],
    ['POST', '/v1/nothings', 404],
    ['PATCH', '/v1/nothings/1', 404],
    ['POST', '/v1/products:batchGet', 404],
    ['POST', '/v1/products:upsert', 404],
    ['PATCH', '/v1/products/1/name', 404],
    ['POST', '/', 404],
  ] as const
).map(([method, path, status]) => ({
  ...{ because: 'no such route', method, path, status },
  sending: { json: { name: 'x' } },
}))

for (const [name, refusals] of Object.entries({ bodies, fields, ofProducts, places, batches, routes })) {
  test(`${name}: all ${refusals.length} are refused by name, and the database is as it was`, async () => {
    const faults: string[] = []
    for (const refusal of refusals) {
      const fault = await judgeRefusal(house.write, refusal)
      if (fault !== '')
        faults.push(`${refusal.because} (${refusal.method} ${refusal.path.slice(0, 80)}): ${fault}`)
    }
    expect(faults).toEqual([])
    expect(await house.checksum()).toBe(before)
  })
}

test('a body of one endpoint is refused whole: every wrong field is named at once', async () => {
  const answer = await house.write.send('POST', '/v1/products', {
    json: { name: '', stock: -1, colour: 'red' },
  })
  const named = answer.json<{ errors: { field: string }[] }>().errors.map(({ field }) => field)
  expect(named.toSorted()).toEqual([
    '/brandId',
    '/categoryId',
    '/colour',
    '/description',
    '/name',
    '/priceCents',
    '/slug',
    '/stock',
  ])
})

test('an answer to a wrong type says which types there are', async () => {
  const sending = { body: 'x', headers: { 'Content-Type': 'text/plain' } }
  const patch = await house.write.send('PATCH', '/v1/products/1', sending)
  expect(patch.headers['accept-patch']).toBe('application/merge-patch+json, application/json')
  const post = await house.write.send('POST', '/v1/products', sending)
  expect(post.headers['accept-post']).toBe('application/json')
})
