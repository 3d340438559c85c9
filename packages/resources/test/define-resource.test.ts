import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import { brands, createRegistry, defineResource, ResourceError } from '../src/index.js'
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

const owner = { resource: 'owners', field: 'group' }
const includes = (rules: object, name = 'owner') => ({ includes: { [name]: { ...owner, ...rules } } })

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
    [
      'an include by a field that is no column',
      includes({ field: 'nope' }),
      /includes.owner: no column "nope"/,
    ],
    [
      'an include by a text',
      includes({ field: 'label' }),
      /"label" is of kind string, and a key is an int or a uuid/,
    ],
    ['an include that has the name of a column', includes({}, 'label'), /"label" is a column/],
    ['an include whose name a list of names would break', includes({}, 'a,b'), /includes.a,b: is not like/],
    [
      'more includes than can be answered for',
      { includes: Object.fromEntries(Array.from('abcdefghi', (name) => [name, owner])) },
      /9 relations are more than 8/,
    ],
    ['a facet that is the parameter of includes', { facets: ['include'] }, /"include" is a list parameter/],
    ['a row without a version', { schema: schema.omit({ version: true }) }, /version/],
  ])('refuses %s', (_, changes, message) => {
    expect(mistakesOf(changes).join('\n')).toMatch(message)
  })

  it('names every mistake at once', () => {
    const cache = { ttl: 'soon', grace: 'never', level: 'x', maxLag: '' }
    expect(mistakesOf({ name: '', facets: ['nope'], cache })).toHaveLength(6)
  })

  it('a registry refuses two resources whose keys or tags would mix', () => {
    expect(() => createRegistry([brands, defineResource(good)])).not.toThrow()
    expect(() => createRegistry([defineResource(good), defineResource({ ...good, name: 'others' })])).toThrow(
      ResourceError,
    )
    expect(() => createRegistry([defineResource(good), defineResource({ ...good, model: 'Other' })])).toThrow(
      ResourceError,
    )
  })

  it.each([
    ['nothing', [], /things.includes.owner: no resource "owners" in the registry; there are things/],
    [
      'a resource whose key is another kind',
      [defineResource({ ...good, name: 'owners', model: 'Owner', key: 'code' })],
      /things.includes.owner: "group" is of kind int, the key of owners is of kind uuid/,
    ],
  ])('a registry refuses a relation that leads to %s', (_, others, message) => {
    const things = defineResource({ ...good, includes: { owner } } as never)
    expect(() => createRegistry([things, ...others])).toThrow(message)
  })

  it('relations are resolved by name: also to the resource itself, and to one that comes later', () => {
    const owners = defineResource({ ...good, name: 'owners', model: 'Owner' })
    const itself = { resource: 'things', field: 'group' }
    const things = defineResource({ ...good, includes: { zoo: owner, all: itself } } as never)
    const relations = createRegistry([things, owners]).relations(things)
    expect(relations).toEqual([
      { name: 'all', field: 'group', resource: things },
      { name: 'zoo', field: 'group', resource: owners },
    ])
  })
})
