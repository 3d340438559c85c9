import type { Follower, Instant, Stamp, Verdict } from '@tidemark/tide'

import type { ImplicitTags } from './implicit-tags.js'
import type { L1 } from './l1/l1.js'
import type { L2 } from './l2/l2.js'
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
  /** What would sink it: its own tags, its key's and its namespace's. `floor`: the last change of each, as known here. */
  readonly tags: readonly { readonly tag: string; readonly floor: number }[]
  readonly ttlLeftMs: number
  /** How long it may still be served, labelled stale, when it cannot be loaded. */
  readonly graceLeftMs: number
  readonly loadedAtMs: number
  readonly loadCostMs: number
}

interface Explainable {
  readonly stamp: Stamp | undefined
  readonly tags: readonly string[]
  readonly expiresAtMs: number
  readonly staleUntilMs: number
  readonly loadedAtMs: number
  readonly loadCostMs: number
}

export interface ExplainerParts {
  readonly follower: Follower
  readonly implicit: ImplicitTags
  readonly now: () => Instant
  readonly l1: L1
  readonly l2: L2 | undefined
  readonly isLoading: (key: string) => boolean
}

export class Explainer {
  readonly #parts: ExplainerParts

  constructor(parts: ExplainerParts) {
    this.#parts = parts
  }

  async explain(key: string, policy: Policy): Promise<Explanation> {
    const { follower, l1, l2, now: readClocks, isLoading } = this.#parts
    const read = await l2?.read(key)
    const now = readClocks()
    const entry = l1.peek(key)
    return {
      key,
      follower: {
        stamp: follower.stamp(),
        base: follower.table.base,
        lagMs: follower.lagMs(now),
        maxLagMs: policy.maxLagMs,
      },
      l1: entry && this.#tier(key, entry, policy, now),
      l2: read?.kind === 'found' ? this.#tier(key, read.envelope, policy, now) : (read?.kind ?? 'none'),
      isLoading: isLoading(key),
    }
  }

  #tier(key: string, held: Explainable, policy: Policy, now: Instant): TierExplanation {
    const { follower, implicit } = this.#parts
    const { stamp, tags, loadedAtMs, loadCostMs } = held
    const verdict = stamp && follower.verdict(stamp, implicit.locate(key, tags), policy.maxLagMs, now)
    return {
      verdict: verdict ?? 'sunk',
      stamp,
      tags: [...tags, implicit.key(key), implicit.namespace].map((tag) => ({
        tag,
        floor: follower.table.floorOf(tag),
      })),
      ttlLeftMs: Math.max(0, held.expiresAtMs - now.wallMs),
      graceLeftMs: Math.max(0, held.staleUntilMs - now.wallMs),
      loadedAtMs,
      loadCostMs,
    }
  }
}
