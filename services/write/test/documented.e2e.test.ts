/** The OpenAPI document of the write service, held against its answers. */
import { documentedBy } from '@tidemark/testkit'
import type { Documented, House, Received, Sending } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startShop } from './fixture/shop.js'

let house: House
let api: Documented
beforeAll(async () => {
  house = await startShop({ services: ['write'] })
  api = await documentedBy(house.write)
})
afterAll(() => house.stop())

test('the document is valid and names every route', () => {
  expect(api.faults).toBeUndefined()
  const routes = ['products', 'brands', 'categories'].flatMap((name) => [
    `post /v1/${name}`,
    `put /v1/${name}/{id}`,
    `patch /v1/${name}/{id}`,
    `delete /v1/${name}/{id}`,
    `post /v1/${name}:batch`,
  ])
  expect(api.operations.toSorted()).toEqual(routes.toSorted())
})

test('answers and problems of every route are as documented', async () => {
  const mismatches: string[] = []
  const check = async (operation: string, path: string, sending?: Sending): Promise<Received> => {
    const answer = await house.write.send(operation.split(' ')[0]!.toUpperCase(), path, sending)
    mismatches.push(api.mismatch(operation, answer))
    return answer
  }
  const bodies = {
    products: {
      ...{
        slug: 'documented',
        name: 'Documented',
        description: '',
        categoryId: 1,
        brandId: 1,
        priceCents: 1,
      },
      ...{ stock: 0, attributes: { colour: 'red', size: 1.5, hot: false } },
    },
    brands: { slug: 'documented', name: 'Documented', country: 'FR' },
    categories: { slug: 'documented', name: 'Documented', parentId: null },
  }
  for (const [name, json] of Object.entries(bodies)) {
    const all = `/v1/${name}`
    const made = await check(`post ${all}`, all, { json })
    await check(`post ${all}`, all, { json })
    await check(`post ${all}`, all, { json: {} })
    const path = `${all}/${made.json<{ id: number }>().id}`
    await check(`put ${all}/{id}`, path, { json: { ...json, name: 'Put' } })
    await check(`patch ${all}/{id}`, path, { json: { name: 'Patched' } })
    await check(`patch ${all}/{id}`, path, { json: { name: 'x' }, headers: { 'If-Match': '"x"' } })
    const operations = [
      { op: 'create', data: { ...json, slug: 'documented-too' } },
      { op: 'patch', id: made.json<{ id: number }>().id, data: { name: 'Batched' } },
      { op: 'delete', id: made.json<{ id: number }>().id },
    ]
    await check(`post ${all}:batch`, `${all}:batch`, { json: { operations } })
    await check(`post ${all}:batch`, `${all}:batch`, { json: { operations } })
    await check(`delete ${all}/{id}`, path)
    const again = await check(`post ${all}`, all, { json })
    await check(`delete ${all}/{id}`, `${all}/${again.json<{ id: number }>().id}`)
  }
  expect(mismatches.filter((mismatch) => mismatch !== '')).toEqual([])
})
