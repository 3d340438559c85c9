/** What a command does and what it answers. */
import type { House, ProblemBody, Received, Sending } from '@tidemark/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { productBody, tokenOf } from './fixture/products.js'
import type { Product } from './fixture/products.js'
import { startShop } from './fixture/shop.js'

let house: House
beforeAll(async () => {
  house = await startShop({ services: ['write'] })
})
afterAll(() => house.stop())

const send = (method: string, path: string, sending?: Sending): Promise<Received> =>
  house.write.send(method, path, sending)
const post = (json: unknown, headers = {}): Promise<Received> =>
  send('POST', '/v1/products', { json, headers })
const patch = (id: number, json: unknown, headers = {}): Promise<Received> =>
  send('PATCH', `/v1/products/${id}`, { json, headers })
const errorsOf = (answer: Received): ProblemBody['errors'] => answer.json<ProblemBody>().errors

async function created(more: object = {}): Promise<Product & { etag: string; path: string }> {
  const answer = await post(productBody(more))
  expect(answer.status).toBe(201)
  const row = answer.json<Product>()
  return { ...row, etag: String(answer.headers.etag), path: `/v1/products/${row.id}` }
}

async function rowOf(id: number): Promise<Record<string, unknown> | undefined> {
  const [row] = await house.sql('SELECT * FROM product WHERE id = $1', [id])
  return row
}

describe('an answer carries the new row, its ETag and a token', () => {
  test('POST: 201, Location, defaults filled in; positions of two writes rise', async () => {
    const answer = await post({ ...productBody(), stock: undefined })
    const row = answer.json<Product>()
    expect(answer.status).toBe(201)
    expect(answer.headers['location']).toBe(`/v1/products/${row.id}`)
    expect(row).toMatchObject({ stock: 0, attributes: {}, version: 1 })
    expect(answer.headers['cache-control']).toBe('no-store')
    const [term, position] = tokenOf(answer).split('-').map(Number)
    const [nextTerm, nextPosition] = tokenOf(await post(productBody()))
      .split('-')
      .map(Number)
    expect(nextTerm).toBe(term)
    expect(nextPosition).toBeGreaterThan(position!)
  })

  test('PUT replaces every field, PATCH only those it names; each raises the version', async () => {
    const { path, id } = await created({ attributes: { colour: 'red' } })
    const body = { ...productBody({ name: 'Put' }), attributes: {} }
    const put = await send('PUT', path, { json: body })
    expect(put.json()).toMatchObject({ ...body, id, version: 2 })
    const patched = await patch(id, { priceCents: 5 })
    expect(patched.json()).toMatchObject({ ...body, priceCents: 5, version: 3 })
    expect(patched.headers.etag).not.toBe(put.headers.etag)
  })

  test('DELETE: 204 without a body, and a second one 404', async () => {
    const { path } = await created()
    const gone = await send('DELETE', path)
    expect([gone.status, gone.text, gone.headers['content-type']]).toEqual([204, '', undefined])
    expect(tokenOf(gone)).toMatch(/^1-\d+$/)
    const again = await send('DELETE', path)
    expect(again.status).toBe(404)
    expect(errorsOf(again)).toMatchObject([{ in: 'path', field: 'id' }])
  })

  test("the caller's trace stands in the log with the change", async () => {
    const trace = `00-${'a'.repeat(31)}1-${'b'.repeat(15)}2-01`
    const answer = await post(productBody(), { traceparent: trace })
    const { id } = answer.json<Product>()
    const [entry] = await house.sql<{ trace: string }>(
      `SELECT c->>'trace' AS trace FROM tidemark.log, jsonb_array_elements(changes) c
       WHERE c->>'resource' = 'product' AND c->>'key' = $1`,
      [String(id)],
    )
    expect(entry?.trace).toBe(trace)
  })
})

describe('PATCH is a JSON Merge Patch (RFC 7396)', () => {
  test('members of a JSON field are merged, null takes one away, the rest stays', async () => {
    const { id } = await created({ attributes: { colour: 'red', size: 3, old: true } })
    const answer = await patch(id, { attributes: { colour: 'blue', old: null, fresh: 'x' } })
    expect(answer.json<Product>().attributes).toEqual({ colour: 'blue', size: 3, fresh: 'x' })
  })

  test('its own media type is taken as well as plain JSON', async () => {
    const { id } = await created()
    const answer = await patch(id, { stock: 1 }, { 'Content-Type': 'application/merge-patch+json' })
    expect(answer.status).toBe(200)
  })

  test('the merged row must be valid: what is wrong is named where it is, and nothing is changed', async () => {
    const { id } = await created({ attributes: { colour: 'red' } })
    const before = await rowOf(id)
    for (const [body, field] of [
      [{ attributes: { colour: { deep: 1 } } }, '/attributes/colour'],
      [{ attributes: null }, '/attributes'],
      [{ name: null }, '/name'],
      [{ stock: -1 }, '/stock'],
    ] as const) {
      const answer = await patch(id, body)
      expect([field, answer.status]).toEqual([field, 422])
      expect(errorsOf(answer)?.map((error) => error.field)).toContain(field)
    }
    expect(await rowOf(id)).toEqual(before)
  })

  test('null empties a nullable field', async () => {
    const [{ id } = { id: 0 }] = await house.sql<{ id: number }>(
      'SELECT id FROM category WHERE parent_id IS NOT NULL LIMIT 1',
    )
    const answer = await send('PATCH', `/v1/categories/${id}`, { json: { parentId: null } })
    expect(answer.json()).toMatchObject({ parentId: null })
  })

  test('20 at once to different fields of one row lose nothing', async () => {
    const { id } = await created({ attributes: {} })
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const change = { attributes: { [`field${i}`]: i } }
        for (;;) {
          const answer = await patch(id, change)
          // Too many at once for one row is told as such, never as done.
          if (answer.status !== 409) return answer
          expect(answer.headers['retry-after']).toBe('1')
        }
      }),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    const row = await rowOf(id)
    expect(Object.keys(row?.['attributes'] as object)).toHaveLength(20)
    expect(row?.['version']).toBe(21)
  })
})

describe('If-Match: a command is done only on the version that the client has seen', () => {
  test('the present ETag, one of a list, and * are met', async () => {
    const { id, etag } = await created()
    const first = await patch(id, { stock: 1 }, { 'If-Match': etag })
    expect(first.status).toBe(200)
    const second = await patch(id, { stock: 2 }, { 'If-Match': `"x", ${String(first.headers.etag)}` })
    expect(second.status).toBe(200)
    expect((await patch(id, { stock: 3 }, { 'If-Match': '*' })).status).toBe(200)
  })

  test('another ETag is 412 with the present one, for PUT, PATCH and DELETE, and nothing is changed', async () => {
    const { id, etag, path } = await created()
    const present = String((await patch(id, { stock: 1 })).headers.etag)
    const before = await house.checksum()
    const headers = { 'If-Match': etag }
    for (const answer of [
      await patch(id, { stock: 2 }, headers),
      await send('PUT', path, { json: { ...productBody(), attributes: {} }, headers }),
      await send('DELETE', path, { headers }),
    ]) {
      expect(answer.status).toBe(412)
      expect(answer.headers.etag).toBe(present)
      expect(errorsOf(answer)).toMatchObject([{ in: 'header', field: 'If-Match', allowed: present }])
    }
    expect(await house.checksum()).toBe(before)
  })

  test('a weak ETag never matches, and the answer says that this is why', async () => {
    const { id, etag } = await created()
    const answer = await patch(id, { stock: 1 }, { 'If-Match': `W/${etag}` })
    expect(answer.status).toBe(412)
    expect(errorsOf(answer)?.[0]?.message).toContain('weak')
    expect((await patch(id, { stock: 1 }, { 'If-Match': `W/${etag}, ${etag}` })).status).toBe(200)
  })

  test('of 10 at once with the same ETag exactly one is done', async () => {
    const { id, etag } = await created()
    // All have read the row, and most wait to write it, before any has.
    const held = house.sql(`DO $$ BEGIN
      PERFORM 1 FROM product WHERE id = ${id} FOR UPDATE;
      FOR turn IN 1..300 LOOP
        EXIT WHEN (SELECT count(*) FROM pg_locks WHERE NOT granted) > 5;
        PERFORM pg_sleep(0.01);
      END LOOP;
    END $$`)
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => patch(id, { stock: 100 + i }, { 'If-Match': etag })),
    )
    await held
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([200, ...Array<number>(9).fill(412)])
    expect((await rowOf(id))?.['version']).toBe(2)
  })

  test('on a row that is gone, * is not met', async () => {
    const { path } = await created()
    await send('DELETE', path)
    expect((await send('DELETE', path, { headers: { 'If-Match': '*' } })).status).toBe(404)
  })
})

describe('what the database refuses is told by field', () => {
  test('a slug that is taken: 409', async () => {
    const { slug } = await created()
    const answer = await post(productBody({ slug }))
    expect(answer.status).toBe(409)
    expect(errorsOf(answer)).toMatchObject([{ in: 'body', field: '/slug' }])
  })

  test('a reference to nothing: 422', async () => {
    const answer = await post(productBody({ categoryId: 999_999 }))
    expect(answer.status).toBe(422)
    expect(errorsOf(answer)).toMatchObject([{ in: 'body', field: '/categoryId' }])
  })

  test('a row that others refer to cannot be deleted: 409', async () => {
    const answer = await send('DELETE', '/v1/brands/1')
    expect(answer.status).toBe(409)
    expect(errorsOf(answer)).toMatchObject([{ in: 'path', field: 'id' }])
    const [brand] = await house.sql('SELECT 1 FROM brand WHERE id = 1')
    expect(brand).toBeDefined()
  })
})

describe('a batch is done as a whole or not at all', () => {
  const batch = (operations: unknown[], headers = {}): Promise<Received> =>
    send('POST', '/v1/products:batch', { json: { operations }, headers })

  test('operations are done in order, each with its own status, row and ETag', async () => {
    const { id, etag } = await created()
    const other = await created()
    const answer = await batch([
      { op: 'create', data: productBody({ name: 'One' }) },
      { op: 'patch', id, data: { stock: 1 }, ifMatch: etag },
      { op: 'patch', id, data: { priceCents: 2 } },
      { op: 'replace', id: other.id, data: { ...productBody({ name: 'Two' }), attributes: {} } },
      { op: 'delete', id: other.id },
    ])
    const { results } = answer.json<{ results: { status: number; etag?: string; data?: Product }[] }>()
    expect(results.map(({ status }) => status)).toEqual([201, 200, 200, 200, 204])
    expect(results[2]?.data).toMatchObject({ id, stock: 1, priceCents: 2, version: 3 })
    expect(results[1]?.etag).not.toBe(results[2]?.etag)
    expect(await rowOf(other.id)).toBeUndefined()
    expect(tokenOf(answer)).toMatch(/^1-\d+$/)
  })

  test('one that fails undoes them all, and is pointed at', async () => {
    const { id, slug } = await created()
    const done = { op: 'patch', id, data: { stock: 99 } }
    const before = await house.checksum()
    for (const [failing, status, field] of [
      [{ op: 'create', data: productBody({ slug }) }, 409, '/operations/1/data/slug'],
      [{ op: 'create', data: productBody({ brandId: 999_999 }) }, 422, '/operations/1/data/brandId'],
      [{ op: 'patch', id: 999_999, data: { stock: 1 } }, 404, '/operations/1/id'],
      [{ op: 'delete', id, ifMatch: '"x"' }, 412, '/operations/1/ifMatch'],
      [{ op: 'patch', id, data: { attributes: { a: [] } } }, 422, '/operations/1/data/attributes/a'],
      [{ op: 'patch', id, data: { stock: -1 } }, 422, '/operations/1/data/stock'],
    ] as const) {
      const answer = await batch([done, failing])
      expect([field, answer.status]).toEqual([field, status])
      expect(errorsOf(answer)).toMatchObject([{ in: 'body', field }])
    }
    // The sequence of ids has moved on; no row, no key and no change has.
    expect(await house.checksum()).toBe(before)
  })
})
