import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { OpenApiDocument } from '../src/index.js'
import { serving } from './serving.js'

let service: Awaited<ReturnType<typeof serving>>
beforeAll(async () => {
  service = await serving((api) => {
    api.route({
      method: 'get',
      path: '/v1/things',
      summary: 'Things',
      query: z.strictObject({
        tag: z.array(z.string().min(1)).max(2).optional(),
        name: z.string().optional(),
      }),
      responses: { 200: { description: 'Things' } },
      handler: ({ query }, { res }) => {
        res.json(query)
      },
    })
  })
})
afterAll(() => service[Symbol.asyncDispose]())

const ask = async (query: string): Promise<unknown> =>
  (await fetch(`${service.url}/v1/things?${query}`)).json()

test('a parameter that is a list may be given any number of times', async () => {
  expect(await ask('')).toEqual({})
  expect(await ask('tag=a,b')).toEqual({ tag: ['a,b'] })
  expect(await ask('tag=a&tag=b&name=c')).toEqual({ tag: ['a', 'b'], name: 'c' })
})

test('any other one is refused when it comes twice, and a list beyond its bounds by name', async () => {
  expect(await ask('name=a&name=b')).toMatchObject({
    status: 400,
    errors: [{ field: 'name', allowed: 'once' }],
  })
  expect(await ask('tag=a&tag=b&tag=c')).toMatchObject({ status: 400, errors: [{ field: 'tag' }] })
  expect(await ask('tag=a&tag=')).toMatchObject({ status: 400, errors: [{ field: 'tag.1' }] })
  expect(await ask('__proto__=a&__proto__=b')).toMatchObject({ status: 400 })
})

test('it is documented as an array', async () => {
  const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as OpenApiDocument
  expect(document.paths?.['/v1/things']?.get?.parameters).toContainEqual(
    expect.objectContaining({
      ...{ name: 'tag', in: 'query', required: false },
      schema: expect.objectContaining({ type: 'array', maxItems: 2 }) as unknown,
    }),
  )
})
