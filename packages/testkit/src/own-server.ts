/** A dedicated server process, to be treated as badly as the test needs. */
export interface OwnServer {
  readonly url: string
  /** Of the process that runs now; another after `start`. */
  readonly pid: number
  /** SIGSTOP: it takes connections and answers nothing. */
  pause(): Promise<void>
  /** SIGCONT. */
  resume(): Promise<void>
  /** SIGKILL: it dies as in a crash. */
  kill(): Promise<void>
  /** Starts it again after `kill` or `stop`, on the same port with the same data. */
  start(): Promise<void>
  /** Ends it cleanly. */
  stop(): Promise<void>
  /** Ends it and deletes its data. */
  remove(): Promise<void>
}
