import { afterAll, expect, it } from 'vitest'
import { columnOf, fieldOf, tableOf } from '../src/index.js'
import { fieldsOfConstraint, modelFields } from '../src/names.js'
import { scratchDatabase } from './scratch-database.js'

const database = await scratchDatabase()
afterAll(async () => database.drop())

it('every table and column of the database is its model and field in snake_case, and nothing more', async () => {
  const session = await database.session()
  const found = await session.rows<{ name: string }>(`
    SELECT table_name || '.' || column_name AS name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'`)
  const computed = [...modelFields].flatMap(([model, fields]) =>
    fields.map((field) => `${tableOf(model)}.${columnOf(field)}`),
  )
  expect(found.map(({ name }) => name).sort()).toEqual(computed.sort())
  expect(fieldOf('parent_id')).toBe('parentId')
})

it('every constraint on a column can be led back to its fields', async () => {
  const session = await database.session()
  const found = await session.rows<{ name: string; columns: string[] }>(`
    SELECT i.relname AS name, array_agg(a.attname::text ORDER BY k.ord) AS columns
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
    CROSS JOIN unnest(x.indkey) WITH ORDINALITY k (attnum, ord) JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
    WHERE n.nspname = 'public' AND x.indisunique AND NOT x.indisprimary GROUP BY 1
    UNION ALL
    SELECT conname, ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = conrelid AND a.attnum = ANY (conkey))
    FROM pg_constraint WHERE contype = 'f'`)
  expect(found.length).toBeGreaterThan(4)
  for (const { name, columns } of found)
    expect([name, fieldsOfConstraint(name)]).toEqual([name, columns.map(fieldOf)])
})
