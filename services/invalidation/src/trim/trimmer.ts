/**
 * Keeps the log short: what is neither recent nor needed goes, and what is needed goes too once it is more than the cap.
 * Several services that trim at once do no harm: each deletes what is left to delete.
 */
import type { Flush } from '@tidemark/log'
import type { Logger } from '@tidemark/service'

type Query = (text: string, values: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>

export interface TrimmerOptions {
  readonly query: Query
  readonly flush: Pick<Flush, 'status'>
  readonly keepPositions: number
  readonly keepAgeMs: number
  readonly maxPositions: number
  readonly logger: Pick<Logger, 'warn'>
}

export interface Trimmer {
  trim(): Promise<void>
  /** Sinks and cursors that lost what they still needed, since the start. */
  cutOff(): number
}

/** Rows that one call of the function deletes at most. */
const callLimit = 10_000
/** Calls in one round: as much as is written between two rounds, many times over. */
const callsMax = 50

export function createTrimmer(options: TrimmerOptions): Trimmer {
  const { query, flush, keepPositions, keepAgeMs, maxPositions, logger } = options
  let cut = 0

  /** Where each sink was when it last answered; one that never did holds nothing. */
  const needs = (): string =>
    JSON.stringify(
      Object.fromEntries(
        flush
          .status()
          .flatMap(({ sink, end }) => (end === undefined ? [] : [[`sink ${sink}`, end.link.position]])),
      ),
    )

  return {
    cutOff: () => cut,
    async trim() {
      for (let calls = 0; calls < callsMax; calls++) {
        const { rows } = await query(
          `SELECT trimmed::float8 AS trimmed, kept::float8 AS kept, cut_off AS "cutOff"
           FROM tidemark.trim_log($1, $2::float8 * interval '1 millisecond', $3, $4)`,
          [keepPositions, keepAgeMs, needs(), maxPositions],
        )
        const { trimmed, kept, cutOff } = rows[0] as { trimmed: number; kept: number; cutOff: string[] }
        for (const name of cutOff) {
          cut += 1
          logger.warn(
            { needed: name, kept },
            `the log was cut below what ${name} still needs: it trailed by more than LOG_KEEP_MAX_POSITIONS. ` +
              (name.startsWith('cursor ')
                ? 'Its consumer is told that history is gone; if there is none any more, delete the cursor'
                : 'Its copy is rebuilt when it answers again, and its readers sink what they hold'),
          )
        }
        if (trimmed < callLimit) return
      }
    },
  }
}
