/**
 * Failures of the log. Stable codes:
 *
 * - `log.unreachable`: whoever numbers the changes, Postgres or Redis, gave no answer within the deadline, or refused;
 *   `cause` says which
 * - `log.backlog`: more committed changes wait than one call may sequence; call again, nothing is lost
 * - `log.malformed`: a store answered with something that is not of the log's shape
 * - `log.behind`: this Postgres is in an older term than the follower: a deposed primary, or an old backup
 * - `log.forked`: the log denies a link that was followed or shipped: history was lost unnoticed
 * - `log.sink-ahead`: a sink holds a higher term than this log: nothing is written to it
 * - `log.sink-failed`: a sink did not answer, or could not be brought to the log's head
 * - `log.stream-failed`: the Redis that a follower reads did not answer
 * - `log.checkpoint-refused`: a checkpoint is not of this format, layout or history
 * - `log.listener-failed`: a listener threw
 * - `log.stopped`: called after `stop()`
 */
export type LogErrorCode =
  | 'log.unreachable'
  | 'log.backlog'
  | 'log.malformed'
  | 'log.behind'
  | 'log.forked'
  | 'log.sink-ahead'
  | 'log.sink-failed'
  | 'log.stream-failed'
  | 'log.checkpoint-refused'
  | 'log.listener-failed'
  | 'log.stopped'

export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogErrorCode

  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** `error` as a LogError: its own if it is one, else wrapped under `code`. */
export function asLogError(error: unknown, code: LogErrorCode, doing: string): LogError {
  if (error instanceof LogError) return error
  const why = error instanceof Error ? error.message : String(error)
  return new LogError(code, `${doing}: ${why}`, { cause: error })
}
