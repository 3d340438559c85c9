import type { Follower, Instant, Stamp, Verdict } from '@tidemark/tide'

import type { Policy } from './policy.js'

/** Why a key is served as it is, or is not: the verdict and everything it was made from. */
export interface Explanation {
  readonly key: string
  readonly follower: {
    readonly stamp: Stamp | undefined
    readonly base: number
    readonly lagMs: number
    readonly maxLagMs: number
  }
  readonly l1: TierExplanation | undefined
  readonly l2: TierExplanation | 'none' | 'trouble'
  readonly isLoading: boolean
}

export interface TierExplanation {
  readonly verdict: Verdict
  readonly stamp: Stamp | undefined
  readonly tags: readonly { readonly tag: string; readonly floor: number }[]
  readonly ttlLeftMs: number
  readonly loadedAtMs: number
  readonly loadCostMs: number
}

interface Explainable {
  readonly stamp: Stamp | undefined
  readonly tags: readonly string[]
  readonly expiresAtMs: number
  readonly loadedAtMs: number
  readonly loadCostMs: number
}

export function explainTier(
  held: Explainable,
  follower: Follower,
  policy: Policy,
  now: Instant,
): TierExplanation {
  const { stamp, tags, loadedAtMs, loadCostMs } = held
  const verdict = stamp && follower.verdict(stamp, follower.table.locate(tags), policy.maxLagMs, now)
  return {
    verdict: verdict ?? 'sunk',
    stamp,
    tags: tags.map((tag) => ({ tag, floor: follower.table.floorOf(tag) })),
    ttlLeftMs: Math.max(0, held.expiresAtMs - now.wallMs),
    loadedAtMs,
    loadCostMs,
  }
}
