import type { Stamp, TagPlaces, Token } from '@tidemark/tide'

import type { Policy } from './policy.js'

/** A value as this process holds it. Shared with every caller that hits it: nobody may change it or its value. */
export interface Entry<T = unknown> {
  readonly value: T
  /** The position applied before its load began. Undefined: loaded while adrift; such an entry is never stored. */
  readonly stamp: Stamp | undefined
  readonly tags: readonly string[]
  /** Where `tags` lie in the follower's tide table. */
  readonly places: TagPlaces
  /**
   * The follower's revision at which this entry was last found afloat: while that has not changed the check is one
   * comparison. A position would not do, since another epoch can give the same position again.
   */
  revision: number
  /** Wall clock, ms since 1970; the three travel between machines, whose clocks differ: they bound memory, not truth. */
  readonly loadedAtMs: number
  readonly expiresAtMs: number
  readonly staleUntilMs: number
  /** From when on a hit draws whether it begins the next load; `expiresAtMs` where none does. */
  readonly earliestMs: number
  /** Hits since this process has it. */
  uses: number
  /** Own monotonic clock: the load had surely ended by then (load's end here, or receipt from L2). */
  readonly seenAtMs: number
  /** A token that was asked for after its load had ended: it covers every change that the value can hold. */
  cover: Token | undefined
  readonly loadCostMs: number
  /** For a conditional request to the origin. */
  readonly validator: string | undefined
  readonly sizeBytes: number
  /** Its resource's, without the words of the call that filled it: a level or a lag that one asked for is not all's. */
  readonly policy: Policy
}

export const neverChecked = -1

/** Map slot, the entry's own fields, its stamp and its places: measured to within a third of the truth. */
const overheadBytes = 420
const bytesPerTag = 56

/** What an entry weighs in L1, given the weight of its value. */
export const entryBytes = (key: string, tags: readonly string[], valueBytes: number): number =>
  overheadBytes + 2 * key.length + bytesPerTag * tags.length + valueBytes
