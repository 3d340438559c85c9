import { describe, expect, it } from 'vitest'

import {
  joinBodies,
  parseRow,
  products,
  represent,
  representationCodec,
  representList,
} from '../src/index.js'
import { sampleRows } from '../src/seed/index.js'

const [sample] = sampleRows({ products: 1, seed: 1 }).products()
const row = { ...sample, version: 1, updatedAt: new Date('2026-01-02T03:04:05.678Z') }

describe('representation', () => {
  it('equal rows have equal bytes, whatever the order of their fields', () => {
    const reversed = Object.fromEntries(Object.entries(row).reverse())
    expect(represent(products, reversed)).toEqual(represent(products, row))
    expect(Object.keys(JSON.parse(represent(products, row).body.toString()) as object)).toEqual([
      ...products.fields.keys(),
    ])
  })

  it('fields that the schema does not have stay inside', () => {
    expect(represent(products, { ...row, secret: 'x' })).toEqual(represent(products, row))
  })

  it('dates are ISO text, and a row comes back from its bytes', () => {
    const { body } = represent(products, row)
    expect(JSON.parse(body.toString())).toMatchObject({ updatedAt: '2026-01-02T03:04:05.678Z' })
    expect(parseRow(products, body)).toEqual(row)
  })

  it('an ETag is strong, starts with the version, and changes with any byte', () => {
    const { etag } = represent(products, row)
    expect(etag).toMatch(/^"1-[\w-]{16}"$/)
    expect(represent(products, { ...row, stock: row.stock! + 1 }).etag).not.toBe(etag)
  })

  it('a row deleted and made again under its id has another ETag, though its version is 1 again', () => {
    const again = { ...row, createdAt: new Date(row.createdAt!.getTime() + 1) }
    expect(represent(products, again).etag).not.toBe(represent(products, row).etag)
  })

  it('a page holds the bytes of its rows', () => {
    const page = representList(products, { rows: [row, row], nextCursor: 'abc' })
    const one = represent(products, row).body.toString()
    expect(page.body.toString()).toBe(`{"data":[${one},${one}],"nextCursor":"abc"}`)
    expect(products.schemas.page.safeParse(JSON.parse(page.body.toString())).success).toBe(true)
    expect(representList(products, { rows: [], nextCursor: null }).body.toString()).toBe(
      '{"data":[],"nextCursor":null}',
    )
  })

  it('bodies join to a JSON array without being parsed', () => {
    expect(joinBodies([Buffer.from('{}'), Buffer.from('1')]).toString()).toBe('[{},1]')
    expect(joinBodies([]).toString()).toBe('[]')
  })
})

describe('representation in L2', () => {
  const value = represent(products, row)
  const bytes = representationCodec.encode(value)

  it('comes back byte for byte', () => {
    expect(representationCodec.decode(bytes)).toEqual(value)
  })

  it('the answer that there is no such row comes back too', () => {
    expect(representationCodec.decode(representationCodec.encode(null))).toBeNull()
  })

  it('does not keep what it was read from alive', () => {
    expect(representationCodec.decode(bytes)!.body.buffer.byteLength).toBe(value.body.length)
  })

  it('bytes that are no representation are refused', () => {
    const refused = [
      Buffer.alloc(0),
      Buffer.from([0, 0]),
      Buffer.from([200, 34, 34]),
      bytes.subarray(1),
      bytes.subarray(0, 21),
    ]
    for (const bad of refused) expect(() => representationCodec.decode(bad)).toThrow(RangeError)
  })
})
