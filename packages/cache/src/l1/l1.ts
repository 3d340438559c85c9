import type { Entry } from '../entry.js'

/** The memory tier: forgets as it likes within its bounds. It knows nothing of freshness. */
export interface L1 {
  /** Counts as a use. */
  get(key: string): Entry | undefined
  /** Does not count as a use. */
  peek(key: string): Entry | undefined
  /**
   * Whether it is kept is the tier's affair, but what was held of `key` is not kept beside it: an entry larger than the whole
   * tier leaves nothing.
   */
  set(key: string, entry: Entry): void
  delete(key: string): void
  clear(): void
  keys(): Iterable<string>
  /** All that it holds, for advice. Left out: nothing is said of what is held. */
  values?(): Iterable<Entry>
  /** Set by the cache: to be told of each entry that has to make room. Never called: nothing is learnt of those. */
  evicted?: ((key: string, entry: Entry) => void) | undefined
  readonly entries: number
  readonly sizeBytes: number
}

export interface L1Options {
  /** Default 64 MiB. */
  readonly maxBytes?: number
  /** Default 100,000. */
  readonly maxEntries?: number
}
