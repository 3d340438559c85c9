import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import { createRegistry, defineResource, products, ResourceError } from '../src/index.js'
import type { ResourceDefinition } from '../src/index.js'

const schema = z.object({
  id: z.int32(),
  code: z.uuid(),
  label: z.string(),
  weight: z.number(),
  made: z.date(),
  data: z.record(z.string(), z.string()),
  group: z.int32().nullable(),
  limit: z.int32(),
  version: z.int32(),
})
const good: ResourceDefinition<typeof schema> = {
  name: 'things',
  model: 'Thing',
  schema,
  facets: ['group'],
  unique: ['label'],
  cache: { ttl: '10m', grace: '1h', level: 'bounded', maxLag: '2s' },
  access: { read: ['thing:read'], write: ['thing:write'] },
}

function mistakesOf(changes: Partial<Record<keyof typeof good, unknown>>): string[] {
  try {
    defineResource({ ...good, ...changes } as typeof good)
    return []
  } catch (error) {
    if (!(error instanceof ResourceError)) throw error
    expect(error.code).toBe('resource.definition')
    return error.issues.map(({ field, message }) => `${field}: ${message}`)
  }
}

describe('defineResource', () => {
  it('gives durations in milliseconds, and a short life to negative answers', () => {
    const { cache } = defineResource(good)
    expect(cache).toEqual({
      ttlMs: 600_000,
      graceMs: 3_600_000,
      level: 'bounded',
      maxLagMs: 2000,
      negativeTtlMs: 60_000,
    })
  })

  it.each([
    ['a facet that is no column', { facets: ['nope'] }, /no column "nope"/],
    ['a facet whose text differs in Postgres: a float', { facets: ['weight'] }, /"weight" is a number/],
    ['a facet whose text differs in Postgres: a date', { facets: ['made'] }, /"made" is a date/],
    ['a facet of JSON', { facets: ['data'] }, /"data" is a json/],
    ['a facet that is a parameter', { facets: ['limit'] }, /"limit" is a list parameter/],
    ['a facet that is the key', { facets: ['id'] }, /"id" is the key/],
    ['a field that is facet and unique', { facets: ['label'] }, /"label" is named twice/],
    ['a unique field that is no column', { unique: ['nope'] }, /no column "nope"/],
    ['a sort by a nullable field', { sort: ['group'] }, /"group" has no place in an order/],
    ['a sort by JSON', { sort: ['data'] }, /"data" has no place in an order/],
    ['a key that is no number', { key: 'label' }, /a key is a z.int32/],
    ['a name with capitals', { name: 'Things' }, /"Things" is not like products/],
    ['a model in lower case', { model: 'thing' }, /"thing" is not like Product/],
    ['a ttl without a unit', { cache: { ...good.cache, ttl: '10' } }, /cache.ttl: "10" is no duration/],
    ['a ttl of nothing', { cache: { ...good.cache, ttl: '0s' } }, /longer than 0/],
    ['an unknown level', { cache: { ...good.cache, level: 'eventual' } }, /none of bounded, session, strict/],
    [
      'an optional column',
      { schema: schema.extend({ note: z.string().optional() }) },
      /nullable\(\), not optional\(\)/,
    ],
    [
      'a transformed column',
      { schema: schema.extend({ note: z.string().transform(Number) }) },
      /schema.note/,
    ],
    ['a row without a version', { schema: schema.omit({ version: true }) }, /version/],
  ])('refuses %s', (_, changes, message) => {
    expect(mistakesOf(changes).join('\n')).toMatch(message)
  })

  it('names every mistake at once', () => {
    const cache = { ttl: 'soon', grace: 'never', level: 'x', maxLag: '' }
    expect(mistakesOf({ name: '', facets: ['nope'], cache })).toHaveLength(6)
  })

  it('a registry refuses two resources whose keys or tags would mix', () => {
    expect(() => createRegistry([products, defineResource(good)])).not.toThrow()
    expect(() => createRegistry([defineResource(good), defineResource({ ...good, name: 'others' })])).toThrow(
      ResourceError,
    )
    expect(() => createRegistry([defineResource(good), defineResource({ ...good, model: 'Other' })])).toThrow(
      ResourceError,
    )
  })
})
