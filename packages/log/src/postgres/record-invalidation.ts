import type { LogDatabase } from './log-database.js'

export interface ExternalChange {
  /** At least one. */
  readonly tags: readonly string[]
  /** For those who read the log later. */
  readonly reason?: string | undefined
  /** W3C traceparent. */
  readonly trace?: string | undefined
}

/**
 * Commits a change of data that no trigger saw. It goes through the outbox like every other change, so it gets a position,
 * reaches every follower, and is as safe from crashes as a row. A flush afterwards makes it known at once.
 *
 * @throws LogError `log.unreachable`: it may be committed all the same
 */
export async function recordInvalidation(
  log: LogDatabase,
  { tags, reason, trace }: ExternalChange,
  timeoutMs = 2_000,
): Promise<void> {
  await log.query(
    `INSERT INTO tidemark.outbox (resource, operation, tags, reason, trace) VALUES ('-', 'invalidate', $1, $2, $3)`,
    [[...new Set(tags)], reason ?? null, trace ?? null],
    { timeoutMs },
  )
}

/** Several in one statement, all or none. @throws as `recordInvalidation`; also where a text is none that JSON can say */
export async function recordInvalidations(
  log: LogDatabase,
  changes: readonly ExternalChange[],
  timeoutMs = 2_000,
): Promise<void> {
  const rows = changes.map(({ tags, reason, trace }) => ({ tags: [...new Set(tags)], reason, trace }))
  await log.query(
    `INSERT INTO tidemark.outbox (resource, operation, tags, reason, trace)
     SELECT '-', 'invalidate', ARRAY(SELECT jsonb_array_elements_text(c -> 'tags')), c ->> 'reason', c ->> 'trace'
     FROM jsonb_array_elements($1::jsonb) c`,
    [JSON.stringify(rows)],
    { timeoutMs },
  )
}
