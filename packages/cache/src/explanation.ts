import type { Stamp, Verdict } from '@tidemark/tide'

/** Why a key is served as it is, or is not: the verdict and everything it was made from. */
export interface Explanation {
  readonly key: string
  /** All of it in a few sentences. */
  readonly summary: string
  readonly follower: {
    readonly stamp: Stamp | undefined
    readonly base: number
    readonly lagMs: number
    readonly maxLagMs: number
  }
  readonly l1: TierExplanation | undefined
  readonly l2: TierExplanation | 'none' | 'trouble'
  readonly isLoading: boolean
  /** Loads of it leave L2 out, but for probes: its values, or its kind's, sink unused. */
  readonly isBypassed: boolean
}

export interface TierExplanation {
  readonly verdict: Verdict
  readonly stamp: Stamp | undefined
  /**
   * What would sink it: its own tags, its key's and its namespace's. `floor`: the last change of each, as known here;
   * `hasSunkIt`: that change came after the value was read.
   */
  readonly tags: readonly { readonly tag: string; readonly floor: number; readonly hasSunkIt: boolean }[]
  readonly ttlLeftMs: number
  /** How long it may still be served, labelled stale, when it cannot be loaded. */
  readonly graceLeftMs: number
  readonly loadedAtMs: number
  readonly loadCostMs: number
}
