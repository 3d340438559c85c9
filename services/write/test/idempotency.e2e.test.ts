/** Idempotency-Key: a request that is sent again is not done again. */
import type { House, Received } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { productBody, tokenOf } from './fixture/products.js'
import type { Product } from './fixture/products.js'
import { startShop } from './fixture/shop.js'

let house: House
beforeAll(async () => {
  house = await startShop({ services: ['write'] })
})
afterAll(() => house.stop())

let keys = 0
const newKey = (): Record<string, string> => ({ 'Idempotency-Key': `key-${++keys}` })
const send = (
  method: string,
  path: string,
  json: unknown,
  headers: Record<string, string>,
): Promise<Received> => house.write.send(method, path, json === undefined ? { headers } : { json, headers })

async function rowsWith(slug: unknown): Promise<number> {
  return (await house.sql('SELECT 1 FROM product WHERE slug = $1', [slug])).length
}

test('the same request again is told the first answer, with a token that covers it', async () => {
  const key = newKey()
  const body = productBody()
  const first = await send('POST', '/v1/products', body, key)
  const again = await send('POST', '/v1/products', body, key)
  expect([again.status, again.text]).toEqual([first.status, first.text])
  for (const name of ['etag', 'location', 'content-type'])
    expect(again.headers[name]).toBe(first.headers[name])
  expect(first.headers['idempotency-replayed']).toBeUndefined()
  expect(again.headers['idempotency-replayed']).toBe('true')
  expect(tokenOf(again)).toMatch(/^1-\d+$/)
  expect(await rowsWith(body['slug'])).toBe(1)
})

test('20 of the same at once make one row, and all are told the same', async () => {
  const key = newKey()
  const body = productBody()
  const answers = await Promise.all(Array.from({ length: 20 }, () => send('POST', '/v1/products', body, key)))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201))
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1)
  expect(await rowsWith(body['slug'])).toBe(1)
})

test('the key with another body, or another If-Match, is 422 that names the header; nothing is changed', async () => {
  const key = newKey()
  const created = await send('POST', '/v1/products', productBody(), key)
  const { id } = created.json<Product>()
  const change = newKey()
  await send('PATCH', `/v1/products/${id}`, { stock: 1 }, change)
  const before = await house.checksum()
  for (const answer of [
    await send('POST', '/v1/products', productBody(), key),
    await send('PATCH', `/v1/products/${id}`, { stock: 2 }, change),
    await send('PATCH', `/v1/products/${id}`, { stock: 1 }, { ...change, 'If-Match': '*' }),
  ]) {
    expect(answer.status).toBe(422)
    expect(answer.json()).toMatchObject({
      type: '/problems/idempotency-key-reused',
      errors: [{ in: 'header', field: 'Idempotency-Key' }],
    })
  }
  expect(await house.checksum()).toBe(before)
})

test('a request that failed leaves its key free', async () => {
  const key = newKey()
  const refused = await send('POST', '/v1/products', productBody({ categoryId: 999_999 }), key)
  expect(refused.status).toBe(422)
  const body = productBody()
  expect((await send('POST', '/v1/products', body, key)).status).toBe(201)
  expect(await rowsWith(body['slug'])).toBe(1)
})

test('a DELETE sent again is 204 again, not 404', async () => {
  const { id } = (await send('POST', '/v1/products', productBody(), {})).json<Product>()
  const key = newKey()
  expect((await send('DELETE', `/v1/products/${id}`, undefined, key)).status).toBe(204)
  const again = await send('DELETE', `/v1/products/${id}`, undefined, key)
  expect([again.status, again.text, again.headers['idempotency-replayed']]).toEqual([204, '', 'true'])
  expect((await send('DELETE', `/v1/products/${id}`, undefined, newKey())).status).toBe(404)
})

test('a PATCH sent again after the row has changed is told the old answer and changes nothing', async () => {
  const { id } = (await send('POST', '/v1/products', productBody(), {})).json<Product>()
  const key = newKey()
  const first = await send('PATCH', `/v1/products/${id}`, { stock: 1 }, key)
  await send('PATCH', `/v1/products/${id}`, { stock: 2 }, {})
  expect((await send('PATCH', `/v1/products/${id}`, { stock: 1 }, key)).text).toBe(first.text)
  const [row] = await house.sql('SELECT stock FROM product WHERE id = $1', [id])
  expect(row).toEqual({ stock: 2 })
})

test('a batch sent again is done once', async () => {
  const key = newKey()
  const body = {
    operations: [
      { op: 'create', data: productBody() },
      { op: 'create', data: productBody() },
    ],
  }
  const first = await send('POST', '/v1/products:batch', body, key)
  const again = await send('POST', '/v1/products:batch', body, key)
  expect([again.status, again.text]).toEqual([200, first.text])
})

test('one key on two endpoints is two keys', async () => {
  const key = newKey()
  const { id } = (await send('POST', '/v1/products', productBody(), key)).json<Product>()
  expect((await send('PATCH', `/v1/products/${id}`, { stock: 3 }, key)).status).toBe(200)
})

test('a key that has expired is free again', async () => {
  const key = newKey()
  await send('POST', '/v1/products', productBody(), key)
  await house.sql(`UPDATE idempotency_key SET expires_at = now() - interval '1 second' WHERE key = $1`, [
    key['Idempotency-Key'],
  ])
  const body = productBody()
  expect((await send('POST', '/v1/products', body, key)).status).toBe(201)
  expect(await rowsWith(body['slug'])).toBe(1)
})
