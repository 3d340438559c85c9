import type { ChildProcess } from 'node:child_process'

/**
 * The way of one instance to Redis, to be broken as networks break: a TCP proxy is all it takes. Each instance has its
 * own, so that one node can be cut off while the others go on.
 */
export interface FaultRoute {
  /** For the adapter: leads through this route. */
  readonly url: string
  /** Resets every connection and refuses new ones. */
  cut(): Promise<void>
  /** Takes connections and passes nothing on. */
  hang(): void
  /** What is asked from now on is passed, but not its answers; those to earlier requests, a subscription's too, still are. */
  holdAnswers?(): void
  /** Passes everything again, what was held back first. */
  heal(): Promise<void>
  close(): Promise<void>
}

/** Who breaks things. It stands outside of the library, so that the library is tried as it is. */
export interface Faults {
  route(): Promise<FaultRoute>
  /**
   * Notes every key in Redis whose name contains `text`; the function given brings back those that are gone by then, as a
   * failover to a replica that missed their deletion would. Left out: races that need it are not run.
   */
  remember?(text: string): Promise<() => Promise<number>>
  /** Redis refuses writes, as a demoted primary does; until the function given is called. Left out: as above. */
  refuseWrites?(): Promise<() => Promise<void>>
}

/** Starts a process that calls `serveRaces` with the same adapter. Left out: races between processes are not run. */
export type Fork = () => ChildProcess
