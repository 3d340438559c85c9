/** Takes one line for the person who watches; every bring-up says what it does through it. */
export type Say = (line: string) => void

/** A store that answers at `url`. `stop` ends it only if this process started it; stopping twice is allowed. */
export interface Store {
  readonly url: string
  /** Where it came from, in words fit for a log line: "DATABASE_URL", "embedded binaries", "redis-server". */
  readonly origin: string
  /** Process id of the server, where there is one on this machine. */
  readonly pid: number | undefined
  /** Resolves with the reason when a server that was started here ends. */
  readonly ended?: Promise<string>
  stop(): Promise<void>
}

export type InfraErrorCode =
  | 'url_malformed'
  | 'url_unreachable'
  | 'no_redis'
  | 'no_postgres'
  | 'store_failed'
  | 'already_running'
  | 'port_invalid'
  | 'port_taken'
  | 'service_failed'
  | 'script_failed'
  | 'demonstration_failed'

/** What can go wrong in bringing the house up; `message` is one line, complete, and never holds a password. */
export class InfraError extends Error {
  readonly code: InfraErrorCode

  constructor(code: InfraErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'InfraError'
    this.code = code
  }
}
