import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parsePart, Problem } from '../src/index.js'
import type { ProblemDocument } from '../src/index.js'
import { declareProducts, raw, serving } from './serving.js'

let service: Awaited<ReturnType<typeof serving>>
beforeAll(async () => {
  service = await serving(declareProducts, { headersTimeoutMs: 300, checkIntervalMs: 50 })
})
afterAll(() => service[Symbol.asyncDispose]())

async function problem(path: string, init: RequestInit = {}) {
  const response = await fetch(service.url + path, init)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  expect(response.headers.get('cache-control')).toBe('no-store')
  const body = (await response.json()) as ProblemDocument
  expect(body.status).toBe(response.status)
  expect(body.requestId).toBe(response.headers.get('x-request-id'))
  return { response, body }
}

const json = (body: string, method = 'POST', type = 'application/json'): RequestInit => ({
  method,
  body,
  headers: { 'content-type': type },
})

describe('every mistake of a client is a 4xx problem that names it', () => {
  test('malformed JSON is 400, tells the place and does not quote the body', async () => {
    const { body } = await problem('/v1/products', json('{"name": hunter2'))
    expect(body).toMatchObject({ type: '/problems/malformed-json', status: 400 })
    expect(JSON.stringify(body)).not.toContain('hunter2')
  })
  test('a JSON text that is no object or array is 400', async () => {
    expect((await problem('/v1/products', json('"x"'))).body.type).toBe('/problems/malformed-json')
  })
  test('a wrong content type is 415 and says which are accepted', async () => {
    const { response, body } = await problem('/v1/products', json('<a/>', 'POST', 'application/xml'))
    expect(body).toMatchObject({
      type: '/problems/unsupported-media-type',
      status: 415,
      errors: [{ field: 'Content-Type', given: 'application/xml', allowed: 'application/json' }],
    })
    expect(response.headers.get('accept-post')).toBe('application/json')
    const patch = await problem('/v1/products/1', json('{}', 'PATCH'))
    expect(patch.response.headers.get('accept-patch')).toBe('application/merge-patch+json')
  })
  test('a foreign charset or encoding is 415', async () => {
    expect(
      (await problem('/v1/products', json('{}', 'POST', 'application/json; charset=ebcdic'))).body.status,
    ).toBe(415)
    const utf16 = await problem('/v1/products', json('{}', 'POST', 'application/json; charset="UTF-16"'))
    expect(utf16.body).toMatchObject({ status: 415, errors: [{ field: 'Content-Type' }] })
    const init = {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', 'content-encoding': 'lzma' },
    }
    expect((await problem('/v1/products', init)).body.status).toBe(415)
  })
  test('an absent body is 400, and so is an empty one', async () => {
    expect((await problem('/v1/products', { method: 'POST' })).body.type).toBe('/problems/missing-body')
    expect((await problem('/v1/products', json(''))).body.type).toBe('/problems/missing-body')
  })
  test('a huge body is 413', async () => {
    const { body } = await problem('/v1/products', json(JSON.stringify({ name: 'x'.repeat(1_000_000) })))
    expect(body).toMatchObject({ status: 413, detail: 'At most 1000 bytes are accepted.' })
  })
  test('a small body that unpacks to a huge one is 413', async () => {
    const { gzipSync } = await import('node:zlib')
    const packed = gzipSync(JSON.stringify({ name: 'x'.repeat(500_000) }))
    expect(packed.byteLength).toBeLessThan(1_000)
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    expect((await problem('/v1/products', { method: 'POST', body: packed, headers })).body.status).toBe(413)
  })
  test('an unknown route is 404', async () => {
    expect((await problem('/nothing')).body).toMatchObject({ type: '/problems/not-found', status: 404 })
  })
  test('a wrong method is 405 with Allow, on API paths and on probes', async () => {
    const { response } = await problem('/v1/products/1', { method: 'PUT' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD, PATCH, DELETE, OPTIONS')
    expect((await problem('/readyz', { method: 'POST' })).response.headers.get('allow')).toBe(
      'GET, HEAD, OPTIONS',
    )
    expect((await problem('/v1/products:batchGet')).response.headers.get('allow')).toBe('POST, OPTIONS')
  })
  test.each(['/v1/products/%', '/v1/products/%E0%A4', '/v1/products?limit=%zz', '/v1/a%00b'])(
    'bad percent-encoding in %s is 400',
    async (path) => {
      const answer = await raw(service.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1.1 400 /)
      expect(answer).toContain('/problems/malformed-url')
    },
  )
  test('wrong parameters are 400, all named, with what was given and what is allowed', async () => {
    const { body } = await problem('/v1/products?limit=1000&sort=size&colour=red')
    expect(body.type).toBe('/problems/invalid-parameter')
    expect(body.errors).toHaveLength(3)
    expect(body.errors).toContainEqual(
      expect.objectContaining({
        in: 'query',
        field: 'limit',
        given: '1000',
        message: 'must be a whole number from 1 to 100',
      }),
    )
    expect(body.errors).toContainEqual(
      expect.objectContaining({ in: 'query', field: 'sort', given: 'size', allowed: 'name, price' }),
    )
    expect(body.errors).toContainEqual(
      expect.objectContaining({ field: 'colour', message: 'is not known', allowed: 'limit, sort' }),
    )
    expect((await problem('/v1/products/x')).body.errors).toMatchObject([
      { in: 'path', field: 'id', given: 'x' },
    ])
  })
  test.each(['', '0x10', '1e1', ' 5', '5.0', '0', '101'])(
    'the limit %j is no whole number in range',
    async (given) => {
      const { body } = await problem(`/v1/products?limit=${encodeURIComponent(given)}`)
      expect(body.errors).toMatchObject([{ field: 'limit', given }])
    },
  )
  test('a parameter sent twice is 400', async () => {
    const { body } = await problem('/v1/products?sort=name&sort=name')
    expect(body.errors).toEqual([
      { in: 'query', field: 'sort', message: 'is given more than once', allowed: 'once' },
    ])
  })
  test('a wrong body is 422 and names fields by JSON pointer, never a secret', async () => {
    const wrong = { name: '', labels: [{ text: 1 }], password: 'hunter2', 'a/b': 1 }
    const { body } = await problem('/v1/products', json(JSON.stringify(wrong)))
    expect(body).toMatchObject({ type: '/problems/invalid-body', status: 422 })
    expect(body.errors?.map(({ field }) => field).sort()).toEqual([
      '/a~1b',
      '/labels/0/text',
      '/name',
      '/password',
      '/price',
    ])
    expect(body.errors).toContainEqual({
      in: 'body',
      field: '/price',
      message: 'is required',
      allowed: 'number',
    })
    expect(JSON.stringify(body)).not.toContain('hunter2')
  })
  test.each([
    ['{"name":"a","price":1,"__proto__":{"isAdmin":true}}', '/__proto__'],
    ['{"labels":[{"text":"a","\\u005f_proto__":{}}]}', '/labels/0/__proto__'],
    ['{"constructor":{"prototype":{"isAdmin":true}}}', '/constructor'],
  ])('keys that reach a prototype are refused: %s', async (text, field) => {
    const { body } = await problem('/v1/products', json(text))
    expect(body.errors).toMatchObject([{ field, message: 'is not an allowed name' }])
  })
  test('a document nested too deep is refused', async () => {
    const { body } = await problem('/v1/products', json('['.repeat(400) + ']'.repeat(400)))
    expect(body.errors).toMatchObject([{ message: 'is nested too deep' }])
  })
})

test('a value that fits no branch of a union is told all types that would fit', () => {
  const schema = z.object({ size: z.union([z.string().max(3), z.number()]) })
  const errorsFor = (size: unknown): unknown => {
    try {
      return parsePart('body', schema, { size })
    } catch (error) {
      return (error as Problem).errors
    }
  }
  expect(errorsFor([])).toMatchObject([{ field: '/size', allowed: 'string, number' }])
  expect(errorsFor('abcd')).toMatchObject([{ field: '/size' }])
})

describe('what the parser cannot read is answered as a problem too', () => {
  test('garbage is 400', async () => {
    const answer = await raw(service.port, 'NONSENSE\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 400 [^]*application\/problem\+json[^]*malformed-request/)
  })
  test('headers that are too large are 431', async () => {
    const answer = await raw(service.port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1.1 431 [^]*headers-too-large/)
  })
  test('headers that dribble in are 408', async () => {
    expect(await raw(service.port, 'GET / HTTP/1.1\r\nHost')).toMatch(/^HTTP\/1.1 408 [^]*request-timeout/)
  })
})

test('our own fault is 500, logged with its cause, and says nothing outward', async () => {
  const { body } = await problem('/v1/products/1', { method: 'DELETE' })
  expect(body).toEqual({
    type: '/problems/internal',
    title: 'Something went wrong on our side',
    status: 500,
    requestId: body.requestId,
  })
  expect(service.lines.filter(({ level }) => level === 'error')).toContainEqual(
    expect.objectContaining({
      request_id: body.requestId,
      err: expect.objectContaining({ type: 'ZodError' }) as object,
    }),
  )
})

test('right requests are parsed, also paths with a literal colon and merge patches', async () => {
  const get = async (path: string, init?: RequestInit) => (await fetch(service.url + path, init)).json()
  expect(await get('/v1/products?limit=7')).toEqual({ resource: 'products', limit: 7 })
  expect(await get('/v1/products:batchGet', json('{"ids":[1,2]}'))).toEqual({
    batchOf: 'products',
    ids: [1, 2],
  })
  expect(await get('/v1/products/1', json('{"price":2}', 'PATCH', 'application/merge-patch+json'))).toEqual({
    price: 2,
  })
  expect(await get('/v1/products/3', { headers: { 'if-none-match': '"x"' } })).toEqual({ id: 3, etag: '"x"' })
  const options = await fetch(service.url + '/v1/products', { method: 'OPTIONS' })
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, POST, OPTIONS'])
  const head = await fetch(service.url + '/v1/products/3', { method: 'HEAD' })
  expect([head.status, head.headers.get('x-powered-by')]).toEqual([200, null])
})
