import type { Epoch, Link } from '@tidemark/tide'

import { parseEntry, parseEpoch, parseInteger } from '../entry.js'
import type { LogEntry } from '../entry.js'
import { LogError } from '../errors.js'
import type { LogDatabase, Row } from './log-database.js'
import { parseSequenced } from './sequencer.js'
import type { Sequenced } from './sequencer.js'

/** The clock row of the server that a connection talks to. */
export interface ClockRow {
  readonly epoch: Epoch
  readonly link: Link
  /** Raised whenever a trigger or facet is added. */
  readonly captureVersion: number
}

/** The clock beside what the log holds at one position, from one snapshot. */
export interface Whereabouts extends ClockRow {
  /** Undefined: no such row, trimmed or never written. */
  readonly markThere: number | undefined
  /** The oldest position kept. */
  readonly oldest: number
}

export interface LogReader {
  /** Rows from `position` on, oldest first, at most `limit`. */
  from(position: number, limit: number): Promise<readonly LogEntry[]>
  /** As `from`, but no more than about a megabyte beside the first two rows: fewer than `limit` do not mean the end. */
  page(position: number, limit: number): Promise<readonly LogEntry[]>
  /** The newest `keep` rows of the present term, the oldest `limit` of them. */
  newest(keep: number, limit: number): Promise<readonly LogEntry[]>
  whereabouts(position: number): Promise<Whereabouts>
  /** Rows after `position` that touched one of the tags, oldest first, at most `limit`. Goes through all rows after it. */
  touching(tags: readonly string[], position: number, limit: number): Promise<readonly LogEntry[]>
  /**
   * Declares that history was lost: a term above `aboveTerm`, unless the log has left `seen` already, which is decided
   * under the clock's lock: of all who saw one loss, one begins one epoch. Gives the new head, or undefined where
   * somebody else was first.
   */
  newEpoch(seen: Epoch, aboveTerm: number): Promise<Sequenced | undefined>
}

const columns = `position, mark, previous_mark AS "previousMark", term, nonce, tags, changes,
  floor(extract(epoch FROM sequenced_at) * 1000)::float8 AS "sequencedAt"`

/**
 * About the bytes of a page: one query must not outlast its deadline. Large columns are stored compressed; what comes out of
 * an expression has its true size, and a tag stands in the changes too.
 */
const pageMaxBytes = 1_048_576

/** Reads the log in Postgres, the primary only. @throws LogError `log.unreachable`, `log.malformed` */
export function createLogReader(log: LogDatabase, timeoutMs = 2_000): LogReader {
  const query = (text: string, values: readonly unknown[]): Promise<readonly Row[]> =>
    log.query(text, values, { timeoutMs })
  return {
    async from(position, limit) {
      const text = `SELECT ${columns} FROM tidemark.log WHERE position >= $1 ORDER BY position LIMIT $2`
      return (await query(text, [position, limit])).map(parseEntry)
    },
    async page(position, limit) {
      const text = `SELECT ${columns} FROM (
          SELECT *, row_number() OVER (ORDER BY position) AS place,
            sum(2 * pg_column_size(tags || '{}'::text[]) + pg_column_size(changes)) OVER (ORDER BY position) AS bytes
          FROM (SELECT * FROM tidemark.log WHERE position >= $1 ORDER BY position LIMIT $2) l) sized
        WHERE place <= 2 OR bytes <= ${pageMaxBytes} ORDER BY position`
      return (await query(text, [position, limit])).map(parseEntry)
    },
    async newest(keep, limit) {
      const text = `SELECT ${columns} FROM tidemark.log
        WHERE position > (SELECT position FROM tidemark.clock) - $1::bigint
          AND term = (SELECT term FROM tidemark.clock) ORDER BY position LIMIT $2`
      return (await query(text, [keep, limit])).map(parseEntry)
    },
    async touching(tags, position, limit) {
      const text = `SELECT ${columns} FROM tidemark.log WHERE position > $1 AND tags && $2::text[]
        ORDER BY position LIMIT $3`
      return (await query(text, [position, tags, limit])).map(parseEntry)
    },
    async whereabouts(position) {
      const text = `SELECT c.term, c.nonce, c.position, c.mark, c.capture_version,
          (SELECT l.mark FROM tidemark.log l WHERE l.position = $1) AS there,
          (SELECT min(l.position) FROM tidemark.log l) AS oldest
        FROM tidemark.clock c`
      const row = one(await query(text, [position]))
      return {
        ...parseClockRow(row),
        markThere: row['there'] === null ? undefined : parseInteger(row['there'], 'mark'),
        oldest: row['oldest'] === null ? 0 : parseInteger(row['oldest'], 'position'),
      }
    },
    async newEpoch(seen, aboveTerm) {
      const text = 'SELECT * FROM tidemark.new_epoch_if($1, $2, $3)'
      const [row] = await query(text, [seen.term, seen.nonce, aboveTerm])
      if (row === undefined) return undefined
      const { head, made } = parseSequenced(row)
      return { ...head, entries: made }
    },
  }
}

/**
 * The clock of the server behind `client`. A load pool reads it on every new connection and keeps the connection only
 * if its term is the follower's; a load from a replica takes its stamp from it. Works on a standby.
 */
export async function readClock(client: LogDatabase, timeoutMs = 2_000): Promise<ClockRow> {
  const text = 'SELECT term, nonce, position, mark, capture_version FROM tidemark.clock'
  return parseClockRow(one(await client.query(text, [], { timeoutMs })))
}

/** The epoch of the server behind `client`: the connect-time check of load pools. */
export const readEpoch = async (client: LogDatabase, timeoutMs?: number): Promise<Epoch> =>
  (await readClock(client, timeoutMs)).epoch

const parseClockRow = (row: Row): ClockRow => ({
  epoch: parseEpoch(row),
  link: { position: parseInteger(row['position'], 'position'), mark: parseInteger(row['mark'], 'mark') },
  captureVersion: parseInteger(row['capture_version'], 'capture_version'),
})

function one(rows: readonly Row[]): Row {
  const [row] = rows
  if (row !== undefined) return row
  throw new LogError('log.malformed', 'tidemark.clock has no row: run the migrations')
}
