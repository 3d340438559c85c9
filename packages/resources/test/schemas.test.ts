import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import { categories, defineResource, parseInput, products, ResourceError } from '../src/index.js'

const body = {
  slug: 'a-kettle',
  name: 'A kettle',
  description: '',
  categoryId: 1,
  brandId: 2,
  priceCents: 990,
}

function fieldsOf(schema: z.ZodType, value: unknown): string[] {
  try {
    parseInput(schema, 'body', value)
    return []
  } catch (error) {
    if (!(error instanceof ResourceError)) throw error
    expect(error.code).toBe('resource.input')
    return error.issues.map(({ field }) => field)
  }
}

describe('create', () => {
  it('fills in defaults; a nullable field that is missing is null', () => {
    expect(products.schemas.create.parse(body)).toEqual({ ...body, stock: 0, attributes: {} })
    expect(categories.schemas.create.parse({ slug: 'a', name: 'A' })).toEqual({
      slug: 'a',
      name: 'A',
      parentId: null,
    })
  })

  it('names unknown fields, and those that the database sets', () => {
    expect(
      fieldsOf(products.schemas.create, { ...body, colour: 'red', id: 7, version: 3, createdAt: 'x' }),
    ).toEqual(['colour', 'id', 'version', 'createdAt'])
  })

  it('names every field of a wrong type, or missing', () => {
    const wrong = { ...body, priceCents: '990', stock: 2 ** 31, name: null, slug: undefined }
    expect(fieldsOf(products.schemas.create, wrong).sort()).toEqual(['name', 'priceCents', 'slug', 'stock'])
  })

  it.each([null, [], 'text', 7, undefined])('%j is no row', (value) => {
    expect(fieldsOf(products.schemas.create, value)).toEqual([''])
  })

  it('refuses text that Postgres cannot store, however deep', () => {
    expect(fieldsOf(products.schemas.create, { ...body, name: 'a\0' })).toEqual(['name'])
    expect(fieldsOf(products.schemas.create, { ...body, attributes: { a: '\ud800' } })).toEqual([
      'attributes',
    ])
    expect(fieldsOf(products.schemas.create, { ...body, attributes: { 'a\0': 1 } })).toEqual(['attributes'])
  })
})

describe('replace', () => {
  it('requires every writable field: no default takes the place of one that was forgotten', () => {
    expect(fieldsOf(products.schemas.replace, body)).toEqual(['stock', 'attributes'])
    expect(fieldsOf(products.schemas.replace, { ...body, stock: 1, attributes: {} })).toEqual([])
  })
})

describe('patch', () => {
  it('changes only what is given: defaults do not creep in', () => {
    expect(products.schemas.patch.parse({ name: 'B' })).toEqual({ name: 'B' })
  })

  it('null clears a nullable field and is refused for another', () => {
    expect(categories.schemas.patch.parse({ parentId: null })).toEqual({ parentId: null })
    expect(fieldsOf(categories.schemas.patch, { name: null })).toEqual(['name'])
  })

  it('an empty one is refused', () => {
    expect(fieldsOf(products.schemas.patch, {})).toEqual([''])
  })

  it('names unknown fields', () => {
    expect(fieldsOf(products.schemas.patch, { nmae: 'B' })).toEqual(['nmae'])
  })
})

describe('dates and UUIDs', () => {
  const notes = defineResource({
    name: 'notes',
    model: 'Note',
    schema: z.object({ id: z.uuid(), due: z.date().nullable(), version: z.int32() }),
    facets: [],
    unique: [],
    cache: { ttl: '1m', grace: '0s', level: 'strict', maxLag: '1s' },
    access: { read: [], write: [] },
  })

  it('a date comes in as text with its zone and is an instant inside', () => {
    expect(notes.schemas.create.parse({ due: '2026-01-01T01:00:00+01:00' })).toEqual({
      due: new Date('2026-01-01'),
    })
    expect(fieldsOf(notes.schemas.create, { due: 'tomorrow' })).toEqual(['due'])
    expect(notes.schemas.create.parse({})).toEqual({ due: null })
  })

  it('a UUID is an id in lower case only', () => {
    const id = '0190f5d6-7c00-7000-8000-00000000abcd'
    expect(notes.parseId(id)).toBe(id)
    expect(notes.parseId(id.toUpperCase())).toBeUndefined()
    expect(notes.schemas.id.safeParse(id.toUpperCase()).success).toBe(false)
  })

  it('every schema has a JSON schema', () => {
    for (const { schemas } of [products, notes]) {
      for (const schema of Object.values(schemas)) {
        expect(() => z.toJSONSchema(schema as z.ZodType, { io: 'input' })).not.toThrow()
      }
    }
  })
})
