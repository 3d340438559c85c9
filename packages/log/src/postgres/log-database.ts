import type { ClientBase, Pool, QueryConfig } from 'pg'

import type { Clock } from '../clock.js'
import { systemClock, within } from '../clock.js'
import { asLogError, LogError } from '../errors.js'

export type Row = Readonly<Record<string, unknown>>

/** What the log needs of Postgres. Always the primary; `timeoutMs` is the caller's deadline for the whole call. */
export interface LogDatabase {
  query(text: string, values: readonly unknown[], options: { timeoutMs: number }): Promise<readonly Row[]>
}

/**
 * The log's port over node-postgres: a pool (a query that misses its deadline costs its connection) or one client.
 *
 * A query abandoned here may still end in the server: set `statement_timeout` on the pool, above the deadlines used,
 * so that a server stuck behind a lock does not collect them. Behind PgBouncer set it on the role instead.
 *
 * @throws LogError `log.unreachable`
 * @example const log = logDatabase(new pg.Pool({ connectionString, max: 4 }))
 */
export function logDatabase(postgres: Pool | ClientBase, clock: Clock = systemClock): LogDatabase {
  return {
    async query(text, values, { timeoutMs }) {
      const config: QueryConfig & { query_timeout: number } = {
        text,
        values: [...values],
        query_timeout: timeoutMs,
      }
      const late = (): LogError =>
        new LogError('log.unreachable', `Postgres gave no answer within ${timeoutMs} ms`)
      try {
        const { rows } = await within(clock, timeoutMs, postgres.query<Record<string, unknown>>(config), late)
        return rows
      } catch (error) {
        throw asLogError(error, 'log.unreachable', 'Postgres refused')
      }
    },
  }
}
