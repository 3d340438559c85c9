import type { Follower, Instant, Stamp } from '@tidemark/tide'

import type { Explanation, TierExplanation } from './explanation.js'
import { summaryOf } from './explain-words.js'
import type { ImplicitTags } from './implicit-tags.js'
import type { L1 } from './l1/l1.js'
import type { L2 } from './l2/l2.js'
import type { Policy } from './policy.js'

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
  readonly isBypassed: (key: string, policy: Policy) => boolean
}

export class Explainer {
  readonly #parts: ExplainerParts

  constructor(parts: ExplainerParts) {
    this.#parts = parts
  }

  async explain(key: string, policy: Policy): Promise<Explanation> {
    const { follower, l1, l2, now: readClocks, isLoading, isBypassed } = this.#parts
    const read = await l2?.read(key)
    const now = readClocks()
    const entry = l1.peek(key)
    const explained = {
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
      isBypassed: isBypassed(key, entry?.policy ?? policy),
    }
    return { ...explained, summary: summaryOf(explained, now.wallMs) }
  }

  #tier(key: string, held: Explainable, policy: Policy, now: Instant): TierExplanation {
    const { follower, implicit } = this.#parts
    const { stamp, tags, loadedAtMs, loadCostMs } = held
    const verdict = stamp && follower.verdict(stamp, implicit.locate(key, tags), policy.maxLagMs, now)
    return {
      verdict: verdict ?? 'sunk',
      stamp,
      tags: [...tags, implicit.key(key), implicit.namespace].map((tag) => {
        const floor = follower.table.floorOf(tag)
        return { tag, floor, hasSunkIt: stamp !== undefined && floor > stamp.tidemark }
      }),
      ttlLeftMs: Math.max(0, held.expiresAtMs - now.wallMs),
      graceLeftMs: Math.max(0, held.staleUntilMs - now.wallMs),
      loadedAtMs,
      loadCostMs,
    }
  }
}
