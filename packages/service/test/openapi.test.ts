import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createApi, type OpenApiDocument, type Route } from '../src/index.js'
import { bySpecificity, expressPath } from '../src/openapi/path-pattern.js'
import { declareProducts, serving } from './serving.js'

let service: Awaited<ReturnType<typeof serving>>
beforeAll(async () => {
  service = await serving(declareProducts)
})
afterAll(() => service[Symbol.asyncDispose]())

test('the document is valid OpenAPI 3.1 and says what the schemas say', async () => {
  const response = await fetch(`${service.url}/openapi.json`)
  const document = (await response.json()) as OpenApiDocument
  const validator = new Validator()
  const result = await validator.validate(structuredClone(document) as never)
  expect(result.errors ?? []).toEqual([])
  expect(result.valid).toBe(true)
  expect(validator.version).toBe('3.1')
  expect(Object.keys(document.paths ?? {}).sort()).toEqual([
    '/v1/{resource}',
    '/v1/{resource}/{id}',
    '/v1/{resource}:batchGet',
  ])
  expect(Object.keys(document.components?.schemas ?? {})).toEqual(['Problem', 'Product'])
  const list = document.paths?.['/v1/{resource}']?.get
  expect(list?.parameters).toContainEqual(
    expect.objectContaining({
      in: 'query',
      name: 'sort',
      required: false,
      schema: { type: 'string', enum: ['name', 'price'] },
    }),
  )
  expect(list?.parameters).toContainEqual(
    expect.objectContaining({
      name: 'limit',
      schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
    }),
  )
  expect(document.paths?.['/v1/{resource}/{id}']?.patch?.parameters).toContainEqual({
    in: 'path',
    name: 'id',
    required: true,
    schema: { type: 'integer' },
  })
  expect(Object.keys(document.paths?.['/v1/{resource}']?.post?.responses ?? {})).toEqual([
    '201',
    '400',
    '413',
    '415',
    '422',
    'default',
  ])
})

test('the documentation page loads only what the service itself serves', async () => {
  const response = await fetch(`${service.url}/docs`)
  const policy = response.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  expect(policy).not.toMatch(/https?:/)
  const page = await response.text()
  const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => String(link))
  expect(links).toHaveLength(4)
  for (const link of links) {
    expect(link).not.toMatch(/^[a-z]+:|^\/\//)
    const asset = await fetch(new URL(link, response.url))
    expect([link, asset.status]).toEqual([link, 200])
    expect((await asset.arrayBuffer()).byteLength).toBeGreaterThan(50)
  }
  expect(page).not.toMatch(/<script(?![^>]*src=)|<style|https?:/)
  const script = await (await fetch(`${service.url}/docs/start.js`)).text()
  expect(script).toContain('validatorUrl: null')
  expect(script).toContain("url: 'openapi.json'")
  expect((await fetch(`${service.url}/docs/`)).url).toBe(`${service.url}/docs`)
  const outside = await fetch(`${service.url}/docs/..%2f..%2fpackage.json`)
  expect(outside.status).toBe(404)
})

test('literal characters of a path are escaped for Express, parameters are not', () => {
  expect(expressPath('/v1/{resource}:batchGet')).toBe('/v1/:resource\\:batchGet')
  expect(expressPath('/a(b)/{x}*')).toBe('/a\\(b\\)/:x\\*')
  expect(() => expressPath('/a/{b')).toThrow('is no path')
  expect(() => expressPath('a')).toThrow('is no path')
})

test('the most literal path is tried first', () => {
  const paths = ['/v1/{a}', '/v1/{a}/{b}', '/v1/{a}:x', '/v1/things', '/v1/things/{b}']
  expect(paths.toReversed().sort(bySpecificity)).toEqual([
    '/v1/things',
    '/v1/things/{b}',
    '/v1/{a}:x',
    '/v1/{a}',
    '/v1/{a}/{b}',
  ])
})

test('a route declared twice, or under other parameter names, is refused', () => {
  const api = createApi({ title: 'T', version: '1' })
  const route = (path: string, name: string): Route<z.ZodObject> => ({
    method: 'get',
    path,
    summary: '',
    params: z.object({ [name]: z.string() }),
    responses: { 200: { description: '' } },
    handler: () => undefined,
  })
  api.route(route('/a/{b}', 'b'))
  expect(() => {
    api.route(route('/a/{b}', 'b'))
  }).toThrow('declared twice')
  expect(() => {
    api.route(route('/a/{c}', 'c'))
  }).toThrow('match the same URLs')
})
