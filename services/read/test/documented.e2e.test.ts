/** The OpenAPI document of the read service, held against its answers. */
import { documentedBy } from '@tidemark/testkit'
import type { Documented, House, Sending } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startShop } from './fixture/shop.js'

let house: House
let api: Documented
beforeAll(async () => {
  house = await startShop({ services: ['read'] })
  api = await documentedBy(house.read)
})
afterAll(() => house.stop())

test('the document is valid and names every route', () => {
  expect(api.faults).toBeUndefined()
  const routes = ['products', 'brands', 'categories'].flatMap((name) => [
    `get /v1/${name}`,
    `get /v1/${name}/{id}`,
    `post /v1/${name}:batchGet`,
  ])
  expect(api.operations.toSorted()).toEqual([...routes, 'get /v1/changes'].toSorted())
})

test('parameters are documented as what they mean, not as the text that they come in', async () => {
  interface Parameter {
    readonly name: string
    readonly schema: object
  }
  const { paths } = (await house.read.get('/openapi.json')).json<{
    paths: Record<string, { get: { parameters: Parameter[] } }>
  }>()
  const schemaOf = (path: string, parameter: string): object | undefined =>
    paths[path]?.get.parameters.find(({ name }) => name === parameter)?.schema
  expect(schemaOf('/v1/products', 'limit')).toEqual({
    type: 'integer',
    minimum: 1,
    maximum: 100,
    default: 20,
  })
  expect(schemaOf('/v1/products', 'sort')).toMatchObject({
    enum: expect.arrayContaining(['-priceCents']) as never,
  })
  expect(schemaOf('/v1/products/{id}', 'id')).toEqual({ type: 'integer' })
  for (const path of ['/v1/products', '/v1/products/{id}'])
    expect(schemaOf(path, 'include')).toMatchObject({ pattern: '^(brand|category)(,(brand|category))*$' })
  expect(schemaOf('/v1/brands', 'include')).toBeUndefined()
})

test('answers and problems of every route are as documented', async () => {
  const mismatches: string[] = []
  const check = async (operation: string, path: string, sending?: Sending): Promise<void> => {
    const answer = await house.read.send(operation.split(' ')[0]!.toUpperCase(), path, sending)
    mismatches.push(api.mismatch(operation, answer))
  }
  await check('get /v1/changes', '/v1/changes?resource=nothing&tag=&lastEventId=x')
  for (const name of ['products', 'brands', 'categories']) {
    const one = `get /v1/${name}/{id}`
    const etag = String((await house.read.get(`/v1/${name}/1`)).headers.etag)
    await check(one, `/v1/${name}/1`)
    await check(one, `/v1/${name}/1`, { headers: { 'If-None-Match': etag } })
    await check(one, `/v1/${name}/2147483647`)
    await check(one, `/v1/${name}/0`)
    await check(one, `/v1/${name}/1`, { headers: { Tidemark: '1-123456789' } })
    await check(`get /v1/${name}`, `/v1/${name}?limit=100&sort=-name`)
    await check(`get /v1/${name}`, `/v1/${name}?limit=0`)
    const include = { products: 'brand,category', categories: 'parent', brands: undefined }[name]
    if (include !== undefined) {
      await check(one, `/v1/${name}/1?include=${include}`)
      await check(`get /v1/${name}`, `/v1/${name}?include=${include}&limit=100`)
      const json = { ids: [1, 2, 2_147_483_647], include: include.split(',') }
      await check(`post /v1/${name}:batchGet`, `/v1/${name}:batchGet`, { json })
    }
    await check(one, `/v1/${name}/1?include=nothing`)
    const batch = `post /v1/${name}:batchGet`
    await check(batch, `/v1/${name}:batchGet`, { json: { ids: [1, 2, 2_147_483_647] } })
    await check(batch, `/v1/${name}:batchGet`, { json: { ids: [0] } })
    await check(batch, `/v1/${name}:batchGet`, { body: 'x' })
  }
  expect(mismatches.filter((mismatch) => mismatch !== '')).toEqual([])
})
