/**
 * Failures of the client. Stable codes:
 *
 * - `client.refused`: the service answered with a problem; `status` is its HTTP status
 * - `client.unreachable`: no answer within the deadline, or the connection broke
 * - `client.malformed`: an answer that is not of the API's shape
 */
export type ClientErrorCode = 'client.refused' | 'client.unreachable' | 'client.malformed'

export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode
  readonly status: number | undefined

  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions & { status?: number }) {
    super(message, options)
    this.code = code
    this.status = options?.status
  }
}
