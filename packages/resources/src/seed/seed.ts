/**
 * Fills an empty database with the sample shop, in one transaction: all of it is there or none, and a second run (or a
 * second process at the same time, which waits for the lock) finds rows and does nothing.
 *
 * Capture stays on. A statement of more rows than the triggers' bulk limit leaves one outbox row, so a seed of 20,000
 * products is told to the followers in about a dozen changes.
 */
import { columnOf, createPool, tableOf } from '@tidemark/database'

import { brands, categories, products } from '../catalogue/index.js'
import type { Resource, Row } from '../define-resource.js'
import { sampleRows } from './sample-rows.js'
import type { SampleSize } from './sample-rows.js'

export type Seeded =
  | {
      readonly kind: 'seeded'
      readonly categories: number
      readonly brands: number
      readonly products: number
    }
  /** One of the tables had rows: nothing was done. */
  | { readonly kind: 'present' }

/** Rows in one INSERT, about 2 MB; above the bulk limit of the capture triggers. */
const seedBatchSize = 2000

export const defaultSize: SampleSize = { products: 20_000, seed: 1 }

/** Longest statement, and longest wait for another seeder. */
const timeoutMs = 60_000

const anyRows = 'SELECT EXISTS (TABLE category) OR EXISTS (TABLE brand) OR EXISTS (TABLE product) AS found'

/** `url`: a migrated database. Throws what the database says. */
export async function seed(url: string, size: Partial<SampleSize> = {}): Promise<Seeded> {
  const chosen = { ...defaultSize, ...size }
  const limits = { maxConnections: 1, statementTimeoutMs: timeoutMs, lockTimeoutMs: timeoutMs }
  const pool = createPool({ url, name: 'tidemark-seed', ...limits })
  const rows = sampleRows(chosen)
  let isSeeded = false
  try {
    const connection = await pool.connect()
    const run: Run = (text, values) => connection.query(text, values)
    try {
      await run('BEGIN')
      await run(`SELECT pg_advisory_xact_lock(hashtextextended('tidemark.seed', 0))`)
      const [state] = (await run(anyRows)).rows
      if (state?.['found'] === false) {
        await insert(run, categories, rows.categories)
        await insert(run, brands, rows.brands)
        await insert(run, products, rows.products())
        isSeeded = true
      }
      await run('COMMIT')
      connection.release()
    } catch (error) {
      connection.release(true)
      throw error
    }
  } finally {
    await pool.end()
  }
  if (!isSeeded) return { kind: 'present' }
  const { length: categoryCount } = rows.categories
  return { kind: 'seeded', categories: categoryCount, brands: rows.brands.length, products: chosen.products }
}

type Run = (text: string, values?: unknown[]) => Promise<{ rows: Row[] }>

async function insert(run: Run, { model }: Resource, rows: Iterable<Row>): Promise<void> {
  const table = tableOf(model)
  let batch: Row[] = []
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return
    const columns = Object.keys(batch[0]!).join(', ')
    await run(
      `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1)`,
      [JSON.stringify(batch)],
    )
    batch = []
  }
  for (const row of rows) {
    batch.push(Object.fromEntries(Object.entries(row).map(([field, value]) => [columnOf(field), value])))
    if (batch.length === seedBatchSize) await flush()
  }
  await flush()
  // The rows brought their own ids: the sequence goes on after them.
  await run(
    `SELECT setval(pg_get_serial_sequence('${table}', 'id'), max(id)) FROM ${table} HAVING max(id) > 0`,
  )
  await run(`ANALYZE ${table}`)
}
