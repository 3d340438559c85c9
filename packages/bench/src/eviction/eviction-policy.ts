/** What a cache of some capacity holds, and nothing else of it. Sizes and capacity are in one unit: entries, or bytes. */
export interface EvictionPolicy {
  /** Asks for `page`, of a size that never changes; what is missing is loaded and offered. True: it was held. */
  ask(page: number, size: number): boolean
}

export interface Request {
  readonly page: number
  readonly size: number
  /** Part of a scan: it takes room as any other, and its own hits count for nobody. */
  readonly isScan: boolean
}

export interface NamedPolicy {
  readonly name: string
  /** The one that L1 has. */
  readonly isOurs?: boolean
  /** `requests`: all that will be asked, in order; only the optimum may look. */
  make(capacity: number, requests: readonly Request[]): EvictionPolicy
}
