/** One shared server for a run of tests. */
export interface StartedStore {
  readonly url: string
  /** For the line that says which ran. */
  readonly origin: string
  stop(): Promise<void>
}
