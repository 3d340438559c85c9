export type DatabaseErrorCode =
  /** The store did not answer, or not in time. */
  | 'UNAVAILABLE'
  /** `verify` refused a new connection. */
  | 'CONNECTION_REFUSED'
  /** The database was closed by its owner. */
  | 'CLOSED'
  /** A setting is not usable. */
  | 'BAD_OPTION'
  /** Another migration run holds the lock. */
  | 'MIGRATION_LOCKED'
  /** A migration that was applied has another content now. */
  | 'MIGRATION_CHANGED'
  /** An earlier run left a migration that neither finished nor was rolled back. */
  | 'MIGRATION_UNFINISHED'
  /** A migration's SQL failed; nothing of it was kept. */
  | 'MIGRATION_FAILED'

/** What this package throws itself. Errors of statements come through as the driver's: see `classifyFailure`. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code: DatabaseErrorCode

  constructor(code: DatabaseErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** A message that is never empty: refused connections to a name with two addresses come as an AggregateError without one. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message || error.name : String(error)
}
