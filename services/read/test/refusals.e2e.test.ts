/** Bad input on every endpoint of the read service: a 4xx problem that names the field, and nothing is changed. */
import { judgeRefusal } from '@tidemark/testkit'
import type { House, Refusal } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Page } from './fixture/products.js'
import { startShop } from './fixture/shop.js'

let house: House
let before: string
beforeAll(async () => {
  house = await startShop({ services: ['read'] })
  await house.read.get('/v1/products/1', { 'Tidemark-Level': 'strict' })
  before = await house.checksum()
})
afterAll(() => house.stop())

type Case = [because: string, path: string, status: number, field?: string, headers?: Record<string, string>]
const gets = (cases: readonly Case[]): Refusal[] =>
  cases.map(([because, path, status, field, headers]) => ({
    because,
    method: 'GET',
    path,
    status,
    ...(field !== undefined && { field }),
    ...(headers && { sending: { headers } }),
  }))

const resources = ['products', 'brands', 'categories']

const ids = resources.flatMap((resource) => {
  const of = (id: string): string => `/v1/${resource}/${id}`
  return gets([
    ['zero', of('0'), 400, 'id'],
    ['negative', of('-1'), 400, 'id'],
    ['leading zero', of('042'), 400, 'id'],
    ['exponent', of('1e3'), 400, 'id'],
    ['hexadecimal', of('0x1'), 400, 'id'],
    ['fraction', of('1.0'), 400, 'id'],
    ['plus sign', of('+1'), 400, 'id'],
    ['above 32 bits', of('99999999999'), 400, 'id'],
    ['one above 32 bits', of('2147483648'), 400, 'id'],
    ['blank', of('%20'), 400, 'id'],
    ['digits of another script', of('%D9%A1'), 400, 'id'],
    ['full-width digit', of('%EF%BC%91'), 400, 'id'],
    ['quote', of("1'--"), 400, 'id'],
    ['encoded slash', of('..%2f1'), 400, 'id'],
    ['name of a prototype', of('__proto__'), 400, 'id'],
    ['very long', of('9'.repeat(4_000)), 400, 'id'],
    ['NUL', of('1%00'), 400],
    ['percent alone', of('%'), 400],
    ['percent that is no UTF-8', of('%ff'), 400],
    ['half of a surrogate pair', of('%ed%a0%80'), 400],
    ['path upwards', of('../../etc/passwd'), 404],
    ['no such row', of('2147483647'), 404, 'id'],
    ['unknown parameter', of('1?colour=red'), 400, 'colour'],
    ['includes that are no relations', of('1?include=nothing'), 400, 'include'],
    ['a token that is none', of('1'), 400, 'Tidemark', { Tidemark: 'yesterday' }],
    ['a token with more', of('1'), 400, 'Tidemark', { Tidemark: '1-2-3' }],
    ['a negative token', of('1'), 400, 'Tidemark', { Tidemark: '1--2' }],
    ['an empty token', of('1'), 400, 'Tidemark', { Tidemark: '' }],
    ['a token that is too large', of('1'), 400, 'Tidemark', { Tidemark: '1-9999999999999999' }],
    ['a token beyond the log', of('1'), 400, 'Tidemark', { Tidemark: '1-9007199254740991' }],
    ['a very long token', of('1'), 400, 'Tidemark', { Tidemark: '1'.repeat(5_000) }],
    ['an unknown level', of('1'), 400, 'Tidemark-Level', { 'Tidemark-Level': 'STRICT' }],
    ['an empty level', of('1'), 400, 'Tidemark-Level', { 'Tidemark-Level': '' }],
  ])
})

const lists = resources.flatMap((resource) => {
  const of = (search: string): string => `/v1/${resource}?${search}`
  return gets([
    ['unknown parameter', of('colour=red'), 400, 'colour'],
    ['name of a prototype', of('__proto__=1'), 400, '__proto__'],
    ['another name of a prototype', of('constructor=1'), 400, 'constructor'],
    ['parameter twice', of('limit=1&limit=2'), 400, 'limit'],
    ['the same twice', of('sort=id&sort=id'), 400, 'sort'],
    ['array notation', of('limit[]=1'), 400, 'limit[]'],
    ['limit zero', of('limit=0'), 400, 'limit'],
    ['limit above the most', of('limit=101'), 400, 'limit'],
    ['limit negative', of('limit=-1'), 400, 'limit'],
    ['limit fraction', of('limit=1.5'), 400, 'limit'],
    ['limit exponent', of('limit=1e1'), 400, 'limit'],
    ['limit empty', of('limit='), 400, 'limit'],
    ['limit no number', of('limit=all'), 400, 'limit'],
    ['limit huge', of(`limit=${'9'.repeat(400)}`), 400, 'limit'],
    ['sort unknown', of('sort=colour'), 400, 'sort'],
    ['sort empty', of('sort='), 400, 'sort'],
    ['sort by two', of('sort=id,name'), 400, 'sort'],
    ['sort by a prototype', of('sort=constructor'), 400, 'sort'],
    ['sort doubly descending', of('sort=--id'), 400, 'sort'],
    ['cursor garbage', of('cursor=%F0%9F%90%8C'), 400, 'cursor'],
    ['cursor empty', of('cursor='), 400, 'cursor'],
    [
      'cursor JSON of something else',
      of(`cursor=${Buffer.from('{"a":1}').toString('base64url')}`),
      400,
      'cursor',
    ],
    ['cursor very long', of(`cursor=${'A'.repeat(9_000)}`), 400, 'cursor'],
    ['percent that is no UTF-8', of('sort=%ff'), 400],
    ['NUL', of('slug=%00'), 400],
    ['slug empty', of('slug='), 400, 'slug'],
    ['slug too long', of(`slug=${'a'.repeat(501)}`), 400, 'slug'],
    ['bad level', of('limit=2'), 400, 'Tidemark-Level', { 'Tidemark-Level': 'x' }],
    ['a token beyond the log', of('limit=2'), 400, 'Tidemark', { Tidemark: '9-1' }],
  ])
})

const facets = gets([
  ['facet no number', '/v1/products?categoryId=five', 400, 'categoryId'],
  ['facet leading zero', '/v1/products?categoryId=05', 400, 'categoryId'],
  ['facet above 32 bits', '/v1/products?brandId=4294967296', 400, 'brandId'],
  ['facet empty', '/v1/products?categoryId=', 400, 'categoryId'],
  ['a field that is no facet', '/v1/products?priceCents=1', 400, 'priceCents'],
  ['a facet of another resource', '/v1/brands?categoryId=1', 400, 'categoryId'],
  ['unknown resource', '/v1/nothings', 404],
  ['row of an unknown resource', '/v1/nothings/1', 404],
  ['more path than there is', '/v1/products/1/name', 404],
  ['no version', '/products/1', 404],
])

const includes = ['/v1/products', '/v1/products/1'].flatMap((path) =>
  gets([
    ['no include', `${path}?include=`, 400, 'include'],
    ['a comma too many', `${path}?include=brand,`, 400, 'include'],
    ['unknown beside known', `${path}?include=brand,colour`, 400, 'include'],
    ['the same twice', `${path}?include=brand,brand`, 400, 'include'],
    ['parameter twice', `${path}?include=brand&include=category`, 400, 'include'],
    ['array notation', `${path}?include[]=brand`, 400, 'include[]'],
    ['in capitals', `${path}?include=Brand`, 400, 'include'],
    ['with a blank', `${path}?include=brand,+category`, 400, 'include'],
    ['name of a prototype', `${path}?include=__proto__`, 400, 'include'],
    ['a field', `${path}?include=brandId`, 400, 'include'],
    ['a relation of a relation', `${path}?include=category.parent`, 400, 'include'],
    ['very long', `${path}?include=${'brand,'.repeat(900)}brand`, 400, 'include'],
    ['beside other mistakes', `${path}?include=x&colour=red`, 400, 'colour'],
  ]),
)

const batches: Refusal[] = resources.flatMap((resource) => {
  const path = `/v1/${resource}:batchGet`
  const ofBody = (because: string, json: unknown, status: number, field?: string): Refusal => ({
    ...{ because, method: 'POST', path, sending: { json }, status },
    ...(field !== undefined && { field }),
  })
  const raw = (because: string, body: string, status: number, type = 'application/json'): Refusal => ({
    ...{ because, method: 'POST', path, sending: { body, headers: { 'Content-Type': type } }, status },
  })
  const deep = `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`
  return [
    ofBody('no ids', {}, 422, '/ids'),
    ofBody('ids of another type', { ids: 1 }, 422, '/ids'),
    ofBody('no id', { ids: [] }, 422, '/ids'),
    ofBody('too many ids', { ids: Array.from({ length: 101 }, (_, i) => i + 1) }, 422, '/ids'),
    ofBody('id as text', { ids: [1, '2'] }, 422, '/ids/1'),
    ofBody('id zero', { ids: [0] }, 422, '/ids/0'),
    ofBody('id above 32 bits', { ids: [1, 2 ** 31] }, 422, '/ids/1'),
    ofBody('id fraction', { ids: [1.5] }, 422, '/ids/0'),
    ofBody('id null', { ids: [null] }, 422, '/ids/0'),
    ofBody('unknown field', { ids: [1], fields: ['name'] }, 422, '/fields'),
    ofBody('an include that is no relation', { ids: [1], include: ['nothing'] }, 422),
    ofBody('an array', [1], 422, ''),
    raw('name of a prototype', '{"ids":[1],"__proto__":{"a":1}}', 422),
    raw('nested too deep', deep, 422),
    raw('not JSON', '{"ids":[1', 400),
    raw('JSON that is no document', '1', 400),
    raw('no body', '', 400),
    raw('another type', 'ids=1', 415, 'application/x-www-form-urlencoded'),
    raw('another charset', '{"ids":[1]}', 415, 'application/json; charset=latin1'),
    raw('huge', `{"ids":[${'1,'.repeat(200_000)}1]}`, 413),
    {
      ...{ because: 'bad headers and bad ids', method: 'POST', path, status: 400, field: 'Tidemark' },
      sending: { json: { ids: [0] }, headers: { Tidemark: 'x' } },
    },
  ]
})

const methods: Refusal[] = [
  '/v1/products',
  '/v1/products/1',
  '/v1/brands',
  '/metrics',
  '/readyz',
  '/openapi.json',
]
  .flatMap((path) =>
    ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => ({
      ...{ because: 'wrong method', method, path, sending: { json: {} }, status: 405 },
    })),
  )
  .concat(
    ['GET', 'PUT', 'DELETE'].map((method) => ({
      ...{ because: 'wrong method', method, path: '/v1/products:batchGet', sending: {}, status: 405 },
    })) as never,
  )

for (const [name, refusals] of Object.entries({ ids, lists, facets, includes, batches, methods })) {
  test(`${name}: all ${refusals.length} are refused by name`, async () => {
    const faults: string[] = []
    for (const refusal of refusals) {
      const fault = await judgeRefusal(house.read, refusal)
      if (fault !== '')
        faults.push(`${refusal.because} (${refusal.method} ${refusal.path.slice(0, 80)}): ${fault}`)
    }
    expect(faults).toEqual([])
    expect(await house.checksum()).toBe(before)
  })
}

test('every wrong parameter is named at once, whichever part it is in', async () => {
  const answer = await house.read.get('/v1/products?colour=red&limit=0&categoryId=x', { Tidemark: 'x' })
  const fields = answer.json<{ errors: { field: string }[] }>().errors.map(({ field }) => field)
  expect(fields.sort()).toEqual(['Tidemark', 'categoryId', 'colour', 'limit'])
})

test('a cursor is refused by any other list than the one that gave it, and when it is cut short', async () => {
  const [most] = await house.sql<{ category: number }>(
    'SELECT category_id AS category FROM product GROUP BY 1 ORDER BY count(*) DESC LIMIT 1',
  )
  const own = `limit=2&sort=name&categoryId=${most!.category}`
  const { nextCursor } = (await house.read.get(`/v1/products?${own}`)).json<Page>()
  expect(nextCursor).not.toBeNull()
  const cursor = String(nextCursor)
  const list = (search: string): Refusal => ({
    because: search,
    method: 'GET',
    path: `/v1/products?${search}`,
    status: 400,
    field: 'cursor',
  })
  for (const refusal of [
    list(`limit=2&sort=name&cursor=${cursor}`),
    list(`limit=2&sort=name&categoryId=${most!.category + 1}&cursor=${cursor}`),
    list(`limit=2&sort=-name&categoryId=${most!.category}&cursor=${cursor}`),
    list(`limit=2&categoryId=${most!.category}&cursor=${cursor}`),
    list(`${own}&cursor=${cursor.slice(0, -2)}`),
    list(`${own}&cursor=${cursor}A`),
    list(`${own}&cursor=${cursor}=`),
  ])
    expect([refusal.because, await judgeRefusal(house.read, refusal)]).toEqual([refusal.because, ''])
  const whole = await house.read.get(`/v1/products?${own}&cursor=${cursor}`)
  expect(whole.status).toBe(200)
})

test('what can be included is said, and what was given', async () => {
  for (const path of ['/v1/products', '/v1/products/1']) {
    const answer = await house.read.get(`${path}?include=brand,colour`)
    expect(answer.json<{ errors: object[] }>().errors).toEqual([
      {
        ...{ in: 'query', field: 'include', given: 'brand,colour' },
        message: 'must be one or more of brand, category, each once, separated by commas',
      },
    ])
  }
  const batch = { json: { ids: [1], include: ['brand', 'brand'] } }
  const refused = await house.read.send('POST', '/v1/products:batchGet', batch)
  expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('names a relation twice')])
})

test('a wrong method is told which there are', async () => {
  const { headers } = await house.read.send('DELETE', '/v1/products/1')
  expect(headers['allow']).toBe('GET, HEAD, OPTIONS')
  const options = await house.read.send('OPTIONS', '/v1/products:batchGet')
  expect([options.status, options.headers['allow']]).toEqual([204, 'POST, OPTIONS'])
})

test('a refusal is not cached, and a good answer follows on the same process', async () => {
  expect((await house.read.get('/v1/products/1')).status).toBe(200)
  expect(await house.read.metric('tidemark_cache_load_errors_total')).toBe(0)
  expect(await house.read.metric('http_server_request_duration_seconds_count', { error_type: '500' })).toBe(0)
})
