import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import {
  createRegistry,
  defineResource,
  readRelated,
  represent,
  representList,
  shownTagsMax,
} from '../src/index.js'
import type { FindRows, Id, ListQuery, Resource, Row } from '../src/index.js'

const rules = {
  facets: [],
  unique: [],
  cache: { ttl: '1m', grace: '0s', level: 'bounded', maxLag: '2s' },
  access: { read: [], write: [] },
} as const

const shelves = defineResource({
  ...{ ...rules, name: 'shelves', model: 'Shelf' },
  schema: z.object({ id: z.int32(), label: z.string(), aboveId: z.int32().nullable(), version: z.int32() }),
  includes: { above: { resource: 'shelves', field: 'aboveId' } },
})
const makers = defineResource({
  ...{ ...rules, name: 'makers', model: 'Maker' },
  schema: z.object({ id: z.int32(), label: z.string(), version: z.int32() }),
})
const things = defineResource({
  ...{ ...rules, name: 'things', model: 'Thing' },
  schema: z.object({
    ...{ id: z.int32(), price: z.int32(), version: z.int32() },
    ...{ shelfId: z.int32().nullable(), makerId: z.int32(), backupId: z.int32().nullable() },
  }),
  facets: ['makerId', 'shelfId'],
  sort: ['price'],
  includes: {
    shelf: { resource: 'shelves', field: 'shelfId' },
    maker: { resource: 'makers', field: 'makerId' },
    backup: { resource: 'makers', field: 'backupId' },
  },
})
const registry = createRegistry([things, shelves, makers])

type World = ReadonlyMap<Resource, readonly Row[]>
interface Change {
  readonly resource: Resource
  readonly before: Row | undefined
  readonly after: Row | undefined
  readonly isBulk?: boolean
}
interface Asked {
  readonly resource: Resource
  readonly include: readonly string[]
  /** Of one row, or of a list. */
  readonly of: { readonly id: Id } | { readonly query: ListQuery }
}

/** What `tidemark.capture()` writes for one change: the tags of the old row and of the new one, or the bulk tag. */
function tagsOfChange({ resource: { tagName, captured }, before, after, isBulk }: Change): Set<string> {
  if (isBulk === true) return new Set([`${tagName}!all`])
  const tags = new Set<string>()
  for (const row of [before, after]) {
    if (row === undefined) continue
    tags.add(`${tagName}:${String(row.id)}`).add(tagName)
    for (const field of captured)
      if (row[field] !== null) tags.add(`${tagName}.${field}=${String(row[field])}`)
  }
  return tags
}

function changed(world: World, { resource, before, after }: Change): World {
  const others = world.get(resource)!.filter((row) => row.id !== before?.id && row.id !== after?.id)
  return new Map(world).set(resource, after === undefined ? others : [...others, after])
}

/** The answer as a reader gives it, and all that it carries as its tags. Each query sees the world of its moment. */
async function answer(
  worldOf: () => World,
  { resource, include, of }: Asked,
): Promise<{ body: string; tags: Set<string> }> {
  const view = registry.view(resource, include)
  const find: FindRows = (target, ids) =>
    Promise.resolve(
      new Map(
        worldOf()
          .get(target)!
          .flatMap((row) => (ids.includes(row.id as Id) ? [[row.id as Id, row]] : [])),
      ),
    )
  const rows = chosen(worldOf().get(resource)!, of)
  const embed = await readRelated(view, rows, find)
  const known = 'id' in of ? resource.tags.entity(of.id) : resource.tags.list(of.query)
  const shown =
    'query' in of
      ? representList(resource, { rows, nextCursor: null }, embed)
      : rows[0] && represent(resource, rows[0], embed(rows[0]))
  return { body: shown?.body.toString() ?? 'none', tags: new Set([...known, ...view.shownTags(rows)]) }
}

function chosen(rows: readonly Row[], of: Asked['of']): Row[] {
  if ('id' in of) return rows.filter((row) => row.id === of.id)
  const { filters, sort, limit } = of.query
  const sign = sort.isDescending ? -1 : 1
  const number = (row: Row, field: string): number => row[field] as number
  return rows
    .filter((row) => Object.entries(filters).every(([field, value]) => row[field] === value))
    .sort(
      (a, b) => sign * (number(a, sort.field) - number(b, sort.field) || number(a, 'id') - number(b, 'id')),
    )
    .slice(0, limit)
}

const id = fc.integer({ min: 1, max: 3 })
const version = fc.integer({ min: 1, max: 3 })
const label = fc.constantFrom('a', 'b')
const rowOf = new Map<Resource, fc.Arbitrary<Row>>([
  [shelves, fc.record({ id, label, aboveId: fc.option(id), version })],
  [makers, fc.record({ id, label, version })],
  [
    things,
    fc.record({
      ...{ id, price: fc.integer({ min: 0, max: 2 }), version },
      ...{ shelfId: fc.option(id), makerId: id, backupId: fc.option(id) },
    }),
  ],
])
const rowsOf = (resource: Resource): fc.Arbitrary<Row[]> =>
  fc.uniqueArray(rowOf.get(resource)!, { selector: (row) => row.id, minLength: 1, maxLength: 3 })
const world: fc.Arbitrary<World> = fc.tuple(rowsOf(things), rowsOf(shelves), rowsOf(makers)).map(
  ([a, b, c]) =>
    new Map<Resource, Row[]>([
      [things, a],
      [shelves, b],
      [makers, c],
    ]),
)
const query = (filters: fc.Arbitrary<ListQuery['filters']>, sort: string[], include: readonly string[]) =>
  fc.record({
    filters,
    sort: fc.record({ field: fc.constantFrom(...sort), isDescending: fc.boolean() }),
    limit: fc.integer({ min: 1, max: 3 }),
    include: fc.constant(include),
  })
const asked: fc.Arbitrary<Asked> = fc
  .constantFrom<Resource>(things, shelves)
  .chain((resource) => fc.subarray([...resource.includes.keys()]).map((include) => ({ resource, include })))
  .chain(({ resource, include }) => {
    const isOfThings = resource === things
    const filters = isOfThings
      ? fc.record({ shelfId: id, makerId: id }, { requiredKeys: [] })
      : fc.constant<ListQuery['filters']>({})
    const list = query(
      filters as fc.Arbitrary<ListQuery['filters']>,
      isOfThings ? ['id', 'price'] : ['id'],
      include,
    )
    return fc
      .oneof(
        id.map((of) => ({ id: of })),
        list.map((of) => ({ query: of })),
      )
      .map((of) => ({ resource, include, of }))
  })
/** An insert, an update, a delete, or an update that gives a row another key. */
const change = fc.constantFrom<Resource>(things, shelves, makers).chain((resource) =>
  fc.record({
    resource: fc.constant(resource),
    id,
    after: fc.option(rowOf.get(resource)!, { nil: undefined, freq: 3 }),
    isBulk: fc.boolean(),
  }),
)

/** Of the queries of one load, which one the change comes before: of rows, then of each relation, side by side. */
const sights: fc.Arbitrary<readonly boolean[]> = fc.oneof(
  fc.constant([false, false, false, false]),
  fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
)

describe('what an answer with includes depends on', () => {
  it('a change that the answer lacks, or has by halves, touches a tag of that answer', async () => {
    const counts = { lacking: 0, torn: 0, byRelated: 0 }
    await fc.assert(
      fc.asyncProperty(world, change, asked, sights, async (tables, { id, ...made }, question, sees) => {
        const { resource, after } = made
        const rows = tables.get(resource)!
        const before = rows.find((row) => row.id === id)
        fc.pre(after === undefined || after.id === id || rows.every((row) => row.id !== after.id))
        const change = { ...made, before }
        const changedTables = changed(tables, change)
        const seeing = sees.values()
        const given = await answer(() => (seeing.next().value === true ? changedTables : tables), question)
        const right = await answer(() => changedTables, question)
        if (given.body === right.body) return
        counts[sees.includes(true) ? 'torn' : 'lacking']++
        if (resource !== question.resource) counts.byRelated++
        const touched = tagsOfChange(change)
        expect([...given.tags].filter((tag) => touched.has(tag))).not.toEqual([])
      }),
      { numRuns: 4_000 },
    )
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(10)
  })

  it('a change of a related row that the answer does not name touches none of its tags', async () => {
    const tables: World = new Map<Resource, Row[]>([
      [things, [{ id: 1, price: 1, shelfId: 5, makerId: 7, backupId: null, version: 1 }]],
      [shelves, []],
      [makers, [{ id: 7, label: 'a', version: 1 }]],
    ])
    const { tags, body } = await answer(() => tables, {
      ...{ resource: things, include: ['maker', 'shelf'], of: { id: 1 } },
    })
    expect([...tags]).toEqual(['thing:1', 'thing!all', 'maker:7', 'maker!all', 'shelf:5', 'shelf!all'])
    expect(JSON.parse(body)).toMatchObject({ maker: { label: 'a' }, shelf: null })
    const plain = await answer(() => tables, { resource: things, include: [], of: { id: 1 } })
    expect([...plain.tags]).toEqual(['thing:1', 'thing!all'])
    expect(JSON.parse(plain.body)).not.toHaveProperty('maker')
  })

  it('past the limit one tag stands for all of a relation: the one that every change of a row touches', () => {
    const view = registry.view(things, ['backup', 'maker', 'shelf'])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), (count, changedId) => {
        const rows = Array.from({ length: count }, (_, i) => ({ shelfId: i + 1, makerId: 3, backupId: null }))
        const tags = view.shownTags(rows)
        const touched = tagsOfChange({
          resource: shelves,
          before: undefined,
          after: { id: changedId, aboveId: null },
        })
        const isTouched = tags.some((tag) => touched.has(tag))
        expect(isTouched).toBe(changedId <= count || count > shownTagsMax)
        expect(tags).toEqual(expect.arrayContaining(['maker:3', 'maker!all', 'shelf!all']))
        expect(tags.length).toBeLessThanOrEqual(2 + shownTagsMax + 1)
      }),
    )
  })
})

describe('a view', () => {
  it('is as strict and as short-lived as the strictest of its parts, and needs the scopes of all', () => {
    const part = (name: string, model: string, cache: object, read: string[], includes = {}) =>
      defineResource({
        ...{ ...rules, name, model, includes, access: { read, write: [] } },
        schema: z.object({ id: z.int32(), otherId: z.int32(), version: z.int32() }),
        cache: { ttl: '10m', grace: '1h', level: 'bounded', maxLag: '2s', ...cache },
      })
    const other = part('others', 'Other', { level: 'strict', maxLag: '1s', grace: '0s' }, ['b', 'c'])
    const third = part('thirds', 'Third', { level: 'session', ttl: '1m', negativeTtl: '5s' }, ['c'])
    const main = part('mains', 'Main', {}, ['a'], {
      other: { resource: 'others', field: 'otherId' },
      third: { resource: 'thirds', field: 'otherId' },
    })
    const made = createRegistry([main, other, third])
    const whole = made.view(main, ['other', 'third'])
    const cache = { level: 'strict', maxLagMs: 1_000, ttlMs: 60_000, graceMs: 0, negativeTtlMs: 5_000 }
    expect(whole.cache).toEqual(cache)
    expect(whole.readScopes).toEqual(['a', 'b', 'c'])
    expect(made.view(main, []).cache).toEqual(main.cache)
    expect(made.view(main, ['third']).cache.level).toBe('session')
    expect(made.view(main, ['other', 'third'])).toBe(whole)
  })
})
