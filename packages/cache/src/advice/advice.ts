import type { TagTally } from './tag-ledger.js'

/** What caching one kind of value saves, and what it costs, over the last minutes of this process. */
export interface KindNumbers {
  /** As the policy or the loader names it; '' where none does. */
  readonly kind: string
  readonly overMs: number
  readonly loads: number
  readonly meanLoadMs: number
  /** Of `loads`, those whose value was not stored since its key or the kind is bypassed. */
  readonly bypassedLoads: number
  readonly stored: number
  readonly meanBytes: number
  /** In L1 now. */
  readonly heldValues: number
  readonly heldBytes: number
  /** Values of which it is known how they ended, and of those: nobody had used them; a change had sunk them before anybody did. */
  readonly ended: number
  readonly endedUnused: number
  readonly sunkUnused: number
  /** Of `ended`: by their ttl, though no change had touched them. */
  readonly expired: number
  /** Of `ended`: they made room in L1. */
  readonly evicted: number
  /** Taken from L2 again after they had made room in L1. */
  readonly refilled: number
  /** Answers that cost no load because a value was held; of one value at most 255 hits in memory are known. */
  readonly uses: number
  /** Calls that were answered by a load under way: saved too, but not by storing. */
  readonly joined: number
  /** Look-ups that found a value afloat that the follower could not prove; how far the log trailed then, and might have. */
  readonly unproven: number
  readonly unprovenLagMs: number
  readonly maxLagMs: number
  /** `uses`, each at the cost of the load that it saved. */
  readonly savedMsPerMinute: number
  /** Encoding, and waiting for Redis. */
  readonly spentMsPerMinute: number
  /** Undefined: the kind as a whole is not bypassed. */
  readonly bypassedForMs: number | undefined
}

export interface KindAdvice extends KindNumbers {
  /** Undefined: too little is known yet. */
  readonly isWorthCaching: boolean | undefined
  readonly sentences: readonly string[]
}

/** What a cache has learnt about what it holds: numbers, and what follows from them in words. */
export interface Advice {
  readonly namespace: string
  /** The dearest first. At most 64; what is beyond is one, named `(others)`. */
  readonly kinds: readonly KindAdvice[]
  /** Tags that sank values; those that did so to no purpose first. At most 10. */
  readonly tags: readonly TagTally[]
  /** Keys bypassed now, each for itself. */
  readonly bypassedKeys: number
  /** All of them, those of the kinds first. */
  readonly sentences: readonly string[]
}
