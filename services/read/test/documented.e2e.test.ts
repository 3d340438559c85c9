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
  expect(api.operations.toSorted()).toEqual(routes.toSorted())
})

test('answers and problems of every route are as documented', async () => {
  const mismatches: string[] = []
  const check = async (operation: string, path: string, sending?: Sending): Promise<void> => {
    const answer = await house.read.send(operation.split(' ')[0]!.toUpperCase(), path, sending)
    mismatches.push(api.mismatch(operation, answer))
  }
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
