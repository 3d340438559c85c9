import type { Token } from '@tidemark/tide'

import { parseInteger } from '../entry.js'
import type { LogDatabase } from '../postgres/log-database.js'

/** A durable place in the log with a name. */
export interface Cursor extends Token {
  readonly name: string
  /** Since it last moved, by Postgres' clock. */
  readonly idleMs: number
  readonly isHeld: boolean
}

export interface Cursors {
  /** Where the cursor stands if nobody else serves it, for `leaseMs` from now; a new one begins at `start`. */
  hold(name: string, holder: string, leaseMs: number, start: Token): Promise<Token | undefined>
  /** Stores the place and renews the lease; false: another holds the cursor now, and goes on from where it stood. */
  move(name: string, holder: string, leaseMs: number, place: Token): Promise<boolean>
  /** Lets another take it at once. */
  release(name: string, holder: string): Promise<void>
  all(): Promise<readonly Cursor[]>
  /** Forgets it: the log is no longer kept for it. False: there is none, or somebody holds it. */
  remove(name: string): Promise<boolean>
}

/** @throws LogError `log.unreachable` */
export function createCursors(log: LogDatabase, timeoutMs = 2_000): Cursors {
  const query = (text: string, values: readonly unknown[]) => log.query(text, values, { timeoutMs })
  const until = `clock_timestamp() + $3::float8 * interval '1 millisecond'`
  return {
    async hold(name, holder, leaseMs, start) {
      const [row] = await query(
        `INSERT INTO tidemark.cursor AS c (name, holder, held_until, term, position) VALUES ($1, $2, ${until}, $4, $5)
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
         WHERE c.holder = excluded.holder OR c.held_until IS NULL OR c.held_until < clock_timestamp()
         RETURNING term, position`,
        [name, holder, leaseMs, start.term, start.position],
      )
      return row && placeOf(row)
    },
    async move(name, holder, leaseMs, { term, position }) {
      const rows = await query(
        `UPDATE tidemark.cursor SET term = $4, position = $5, held_until = ${until},
           moved_at = CASE WHEN (term, position) = ($4, $5) THEN moved_at ELSE clock_timestamp() END
         WHERE name = $1 AND holder = $2 RETURNING 1`,
        [name, holder, leaseMs, term, position],
      )
      return rows.length > 0
    },
    async release(name, holder) {
      await query(
        'UPDATE tidemark.cursor SET holder = NULL, held_until = NULL WHERE name = $1 AND holder = $2',
        [name, holder],
      )
    },
    async all() {
      const rows = await query(
        `SELECT name, term, position, coalesce(held_until > clock_timestamp(), false) AS held,
                (extract(epoch FROM clock_timestamp() - moved_at) * 1000)::float8 AS idle
         FROM tidemark.cursor ORDER BY name`,
        [],
      )
      return rows.map((row) => ({
        name: String(row['name']),
        ...placeOf(row),
        idleMs: Math.max(0, Number(row['idle'])),
        isHeld: row['held'] === true,
      }))
    },
    async remove(name) {
      const text = `DELETE FROM tidemark.cursor
        WHERE name = $1 AND coalesce(held_until < clock_timestamp(), true) RETURNING 1`
      return (await query(text, [name])).length > 0
    },
  }
}

const placeOf = (row: Readonly<Record<string, unknown>>): Token => ({
  term: parseInteger(row['term'], 'term'),
  position: parseInteger(row['position'], 'position'),
})
