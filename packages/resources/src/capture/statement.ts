/**
 * The statements that have a table watched, written and read.
 *
 * What the migrations on disk install is what they say: the last `watch` or `unwatch` of each table. A statement is read
 * only in the form in which it is written here; one outside of functions that looks otherwise is an error, not a guess.
 */
import type { Capture } from '@tidemark/database'

import { ResourceError } from '../errors.js'

/** As a migration installs it. */
export interface Watched extends Capture {
  /** `bulk_limit`, where it is given. */
  readonly bulkLimit?: number
}

/** `SELECT tidemark.watch('product', 'product', 'id', '{"brandId": "brand_id"}');` */
export function watchStatement({ table, name, key, facets, bulkLimit }: Watched): string {
  const pairs = Object.entries(facets).map(([field, column]) => `"${field}": "${column}"`)
  const limit = bulkLimit === undefined ? '' : `, ${bulkLimit}`
  return `SELECT tidemark.watch('${table}', '${name}', '${key}', '{${pairs.join(', ')}}'${limit});`
}

/** Does nothing where an earlier migration has dropped the table. */
export function unwatchStatement(table: string): string {
  return `SELECT tidemark.unwatch(to_regclass('${table}'));`
}

export interface MigrationText {
  readonly name: string
  readonly sql: string
}

const call = /\btidemark\s*\.\s*(?:un)?watch\s*\(/gi
const watch =
  /^SELECT tidemark\.watch\(\s*'(\w+)'\s*,\s*'(\w+)'\s*,\s*'(\w+)'\s*(?:,\s*'(\{[^']*\})'\s*)?(?:,\s*(\d+)\s*)?\)\s*;/i
const unwatch = /^SELECT tidemark\.unwatch\(\s*(?:to_regclass\(\s*)?'(\w+)'\s*\)?\s*\)\s*;/i

/** By table, after the migrations in this order. Throws `resource.capture` naming the migration and what it cannot read. */
export function readWatched(migrations: readonly MigrationText[]): Map<string, Watched> {
  const watched = new Map<string, Watched>()
  for (const { name: migration, sql } of migrations) {
    for (const statement of statementsOf(sql)) {
      const made = watch.exec(statement)
      const ended = unwatch.exec(statement)
      if (made) {
        const [, table, name, key, facets = '{}', limit] = made as unknown as [
          string,
          string,
          string,
          string,
          ...string[],
        ]
        const bulkLimit = limit === undefined ? {} : { bulkLimit: Number(limit) }
        watched.set(table, {
          table,
          name,
          key,
          facets: readFacets(migration, statement, facets),
          ...bulkLimit,
        })
      } else if (ended) {
        watched.delete(ended[1]!)
      } else throw unreadable(migration, statement)
    }
  }
  return watched
}

/** From each call to the end of its line, with the word before it. What functions do when they run is not looked into. */
function statementsOf(sql: string): string[] {
  const bare = sql.replace(/--.*$/gm, '').replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, '')
  return [...bare.matchAll(call)].flatMap(({ index }) => {
    const before = /\S+\s+$/.exec(bare.slice(0, index))?.[0] ?? ''
    // CREATE FUNCTION, GRANT ... ON FUNCTION: about it, not a call of it.
    if (/^function\s/i.test(before)) return []
    const [rest = ''] = bare.slice(index).split(/(?<=;)/, 1)
    return [`${before.trim()} ${rest.trim()}`]
  })
}

function readFacets(migration: string, statement: string, text: string): Readonly<Record<string, string>> {
  try {
    const facets = JSON.parse(text) as Record<string, unknown>
    if (Object.values(facets).every((column) => typeof column === 'string'))
      return facets as Record<string, string>
  } catch {
    // Said below.
  }
  throw unreadable(migration, statement)
}

function unreadable(migration: string, statement: string): ResourceError {
  const form = watchStatement({ table: 'table', name: 'name', key: 'key', facets: { field: 'column' } })
  return new ResourceError('resource.capture', `migration ${migration}`, [
    { field: '', message: `cannot read "${statement.slice(0, 200)}": write it as ${form}` },
  ])
}
