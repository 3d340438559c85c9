/**
 * What this package throws when a service cannot start, run or stop.
 * `code` is stable and may be matched on; `message` says what to do and may change.
 */
export class ServiceError extends Error {
  readonly code: ServiceErrorCode

  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ServiceError'
    this.code = code
  }
}

export type ServiceErrorCode =
  | 'config_invalid'
  | 'start_failed'
  | 'start_timeout'
  | 'start_cancelled'
  | 'stop_timeout'
  | 'check_timeout'
  | 'address_unavailable'
  | 'route_conflict'

/** The first sentence a person can act on, also for the empty-messaged AggregateError of a refused connection. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  if (error instanceof Error) {
    if (error.message !== '') return error.message
    return 'code' in error && typeof error.code === 'string' ? error.code : error.name
  }
  return String(error)
}
