/**
 * Failures of the client. Stable codes:
 *
 * - `client.refused`: the service answered with a problem that will not pass by itself; `status` is its HTTP status
 * - `client.unreachable`: no answer within the deadline, the connection broke, or the service cannot answer at present
 * - `client.malformed`: an answer that is not of the API's shape
 */
export type ClientErrorCode = 'client.refused' | 'client.unreachable' | 'client.malformed'

export interface ClientErrorOptions extends ErrorOptions {
  readonly status?: number
  readonly retryAfterMs?: number
}

export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode
  readonly status: number | undefined
  /** The service's wish for the time before the next attempt. */
  readonly retryAfterMs: number | undefined

  constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.status = options.status
    this.retryAfterMs = options.retryAfterMs
  }
}
