/**
 * `sequence()`: gives every change whose commit was visible when the call began a position at or below the one returned.
 * The work is one short transaction in Postgres (see the migration); this loops it while batches come back full.
 */

import type { Epoch, Link, Token } from '@tidemark/tide'

import { parseEntry, parseEpoch, parseInteger } from '../entry.js'
import type { LogEntry } from '../entry.js'
import { LogError } from '../errors.js'
import type { LogDatabase, Row } from './log-database.js'

export interface Sequenced {
  /** Covers everything committed before the call. */
  readonly token: Token
  readonly epoch: Epoch
  /** The log's head. */
  readonly link: Link
  /**
   * The positions that this call made, oldest first, each continuing the one before. Empty when it made more than
   * `maxEntriesHeld`, or when others made some between two of its batches: read the log.
   */
  readonly entries: readonly LogEntry[]
}

export interface Sequencer {
  /** @throws LogError `log.unreachable`, `log.backlog`, `log.malformed` */
  sequence(): Promise<Sequenced>
}

export interface SequencerOptions {
  readonly log: LogDatabase
  /** Changes moved in one transaction; fewer after one that failed, until they go through. */
  readonly batch?: number
  /** Batches moved in one call: `batch * maxBatches` changes, then `log.backlog`. */
  readonly maxBatches?: number
  /** For one batch. */
  readonly timeoutMs?: number
}

/** Entries given back by one call; a longer run is read from the log in pages. */
const maxEntriesHeld = 64

export function createSequencer({
  log,
  batch = 500,
  maxBatches = 1_000,
  timeoutMs = 2_000,
}: SequencerOptions): Sequencer {
  let size = batch
  const move = async (): Promise<Row | undefined> => {
    try {
      const [row] = await log.query('SELECT * FROM tidemark.sequence($1)', [size], { timeoutMs })
      size = Math.min(batch, size * 2)
      return row
    } catch (error) {
      // Changes with very many tags may take longer than a call may: as many again would never get their position.
      size = Math.max(1, Math.floor(size / 4))
      throw error
    }
  }

  return {
    async sequence() {
      const entries: LogEntry[] = []
      let made = 0
      let isDense = true
      let lastWaiting: number | undefined
      for (let batches = 0; batches < maxBatches; batches++) {
        const row = await move()
        const { head, made: latest } = parseSequenced(row)
        made += latest.length
        const last = entries.at(-1)
        if (last !== undefined && latest[0] !== undefined) isDense &&= latest[0].previousMark === last.mark
        const isHeld = isDense && made <= maxEntriesHeld
        if (isHeld) entries.push(...latest)
        // Who reads on from another's position reads the log.
        const upTo = ({ link }: Pick<Sequenced, 'link'>): readonly LogEntry[] =>
          isHeld && entries.at(-1)?.mark === link.mark ? entries : []
        if (row?.['more'] !== true) return { ...head, entries: upTo(head) }
        lastWaiting ??= await lastInOutbox(log, timeoutMs)
        const covered = await headOnceMoved(log, lastWaiting, timeoutMs)
        if (covered === undefined) continue
        return { ...covered, entries: upTo(covered) }
      }
      throw new LogError(
        'log.backlog',
        `more committed changes wait to be sequenced than ${maxBatches} batches of up to ${batch} hold; call again to go on`,
      )
    },
  }
}

/** The highest id that waits: whatever was committed before this look has that one or a lower one. 0: nothing waits. */
async function lastInOutbox(log: LogDatabase, timeoutMs: number): Promise<number> {
  const [row] = await log.query('SELECT coalesce(max(id), 0) AS last FROM tidemark.waiting', [], {
    timeoutMs,
  })
  return parseInteger(row?.['last'], 'last')
}

/**
 * The head once nothing up to `id` waits any more, from one snapshot: what has left the outbox has its position at or below
 * it. Where Postgres may have lost history, the next batch begins the new epoch. So a call ends at what was there when it began, also where changes come as fast as they are moved.
 */
async function headOnceMoved(
  log: LogDatabase,
  id: number,
  timeoutMs: number,
): Promise<Omit<Sequenced, 'entries'> | undefined> {
  const text = `SELECT h.term, h.nonce, h.position, h.mark,
      NOT h.alive OR EXISTS (SELECT FROM tidemark.waiting w WHERE w.id <= $1::bigint) AS "isWaiting"
    FROM tidemark.head h`
  const [row] = await log.query(text, [id], { timeoutMs })
  if (row === undefined || row['isWaiting'] !== false) return undefined
  const epoch = parseEpoch(row)
  const link = {
    position: parseInteger(row['position'], 'position'),
    mark: parseInteger(row['mark'], 'mark'),
  }
  return { token: { term: epoch.term, position: link.position }, epoch, link }
}

/** The row that `tidemark.sequence()` and `tidemark.new_epoch()` give. */
export function parseSequenced(row: Row | undefined): {
  head: Omit<Sequenced, 'entries'>
  made: readonly LogEntry[]
} {
  if (row === undefined) throw new LogError('log.malformed', 'sequence() gave no row')
  const epoch = parseEpoch(row)
  const position = parseInteger(row['position'], 'position')
  const link = { position, mark: parseInteger(row['mark'], 'mark') }
  const made = row['entries']
  if (!Array.isArray(made)) throw new LogError('log.malformed', 'sequence() gave no entries')
  return {
    head: { token: { term: epoch.term, position }, epoch, link },
    made: made.map((entry) => parseEntry(entry as Row)),
  }
}
