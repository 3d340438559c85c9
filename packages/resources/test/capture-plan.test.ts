import { migrationsFolder, readMigrations } from '@tidemark/database'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

import { planCapture } from '../src/capture/plan.js'
import { readWatched, unwatchStatement, watchStatement } from '../src/capture/statement.js'
import type { Watched } from '../src/capture/statement.js'
import { brands, catalogue, defineResource } from '../src/index.js'

const now = new Date('2026-12-01T10:20:30.456Z')
const suppliers = defineResource({
  name: 'suppliers',
  model: 'SupplierGroup',
  schema: z.object({ id: z.int32(), homeCountry: z.string(), slug: z.string(), version: z.int32() }),
  facets: ['homeCountry'],
  unique: ['slug'],
  cache: { ttl: '10m', grace: '1h', level: 'bounded', maxLag: '2s' },
  access: { read: [], write: [] },
})
const first = { name: '20261123100200_capture', sql: planCapture([brands], [], now)!.sql }

describe('the migration that is missing', () => {
  it('none: the migrations on disk install what the sample catalogue declares', async () => {
    expect(planCapture(catalogue.all, await readMigrations(migrationsFolder), now)).toBeUndefined()
  })

  it('a new resource: its table is watched under the names of its model and fields', () => {
    expect(planCapture([brands, suppliers], [first], now)).toEqual({
      name: '20261201102030_capture_supplier_group',
      changes: ['supplier_group: not watched yet'],
      sql: `-- Written by "pnpm capture" from the resource definitions.
--
--   supplier_group: not watched yet

SELECT tidemark.watch('supplier_group', 'supplierGroup', 'id', '{"homeCountry": "home_country", "slug": "slug"}');
`,
    })
  })

  it.each([
    ['a facet more', '{"slug": "slug"}', 'brand: + country'],
    ['a facet less', '{"country": "country", "slug": "slug", "name": "name"}', 'brand: - name'],
    ['another column', '{"country": "land", "slug": "slug"}', 'brand: country from country'],
  ])('%s: what differs is said, and a limit that was given is kept', (_, facets, change) => {
    const sql = `SELECT tidemark.watch('brand', 'brand', 'id', '${facets}', 50);`
    const plan = planCapture([brands], [{ name: '20261123100200_capture', sql }], now)!
    expect(plan.changes).toEqual([change])
    expect(plan.sql).toContain(`watch('brand', 'brand', 'id', '{"country": "country", "slug": "slug"}', 50);`)
    expect(planCapture([brands], [first, plan], now)).toBeUndefined()
  })

  it('the order of facets is no difference', () => {
    const sql = `SELECT tidemark.watch('brand', 'brand', 'id', '{"slug": "slug", "country": "country"}');`
    expect(planCapture([brands], [{ name: '1_x', sql }], now)).toBeUndefined()
  })

  it('a resource that is gone: its table is unwatched, also one that was dropped meanwhile', () => {
    const plan = planCapture([], [first], now)!
    expect(plan.sql).toContain(`\nSELECT tidemark.unwatch(to_regclass('brand'));\n`)
    expect(planCapture([], [first, plan], now)).toBeUndefined()
    expect(planCapture([brands], [first, plan], now)?.changes).toEqual(['brand: not watched yet'])
  })

  it('comes after every migration that is there, also under a clock that is late, and its name has an end', () => {
    const late = planCapture(catalogue.all, [{ name: '20991231235958_last', sql: '' }], now)!
    expect(late.name).toBe('20991231235959_capture_category_brand_product')
    expect(planCapture([...catalogue.all, suppliers], [], now)!.name).toBe(
      '20261201102030_capture_category_brand_product_and_1_more',
    )
  })
})

describe('what the migrations install', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/)
  const watched: fc.Arbitrary<Watched> = fc.record(
    {
      ...{ table: name, name: fc.stringMatching(/^[a-z][A-Za-z0-9]{0,20}$/), key: name },
      facets: fc.dictionary(fc.stringMatching(/^[a-z][A-Za-z0-9]{0,20}$/), name, { noNullPrototype: true }),
      bulkLimit: fc.integer({ min: 1, max: 1e6 }),
    },
    { requiredKeys: ['table', 'name', 'key', 'facets'] },
  )

  it('is read as it was written, the last statement of a table counts', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(watched, fc.boolean()), { maxLength: 6 }), (steps) => {
        const expected = new Map<string, Watched>()
        const migrations = steps.map(([each, isEnd], index) => {
          if (isEnd) expected.delete(each.table)
          else expected.set(each.table, each)
          const sql = isEnd ? unwatchStatement(each.table) : watchStatement(each)
          return { name: `${index}_m`, sql: `-- ${sql}\nCREATE TABLE x ();\n  ${sql}\n` }
        })
        expect(readWatched(migrations)).toEqual(expected)
      }),
    )
  })

  it('is not what functions, grants and comments say', () => {
    const sql = `
      CREATE OR REPLACE FUNCTION tidemark.watch(watched regclass) RETURNS void AS $$ SELECT tidemark.watch(x) $$;
      DO $do$ BEGIN PERFORM tidemark.unwatch('brand'); END $do$;
      GRANT EXECUTE ON FUNCTION tidemark.watch(regclass, text) TO migrator;
      -- SELECT tidemark.watch('a', 'a', 'id');
      SELECT 1;`
    expect(readWatched([{ name: '1_x', sql }]).size).toBe(0)
  })

  it.each([
    `SELECT tidemark.watch('brand', 'brand', 'id', jsonb_build_object('a', 'b'));`,
    `SELECT tidemark.watch('brand', 'brand', 'id', '{"a": 1}');`,
    `SELECT tidemark.watch('brand', 'brand', 'id', '{a}');`,
    `SELECT tidemark . watch('public.brand', 'brand', 'id');`,
    `SELECT 1, tidemark.unwatch('brand');`,
  ])('is not guessed from %s', (sql) => {
    expect(() => readWatched([{ name: '7_odd', sql }])).toThrow(/^migration 7_odd: cannot read ".*watch/)
  })
})
