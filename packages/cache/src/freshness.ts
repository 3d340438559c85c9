import type { Follower, Instant } from '@tidemark/tide'

import type { Entry } from './entry.js'

/** Arithmetic in memory: whether what L1 holds may be served now. */
export class Freshness {
  readonly #follower: Follower

  constructor(follower: Follower) {
    this.#follower = follower
  }

  /** Between changes this is one comparison: a verdict holds for as long as the follower's revision does. */
  isAfloat(entry: Entry): boolean {
    const { revision } = this.#follower
    if (entry.revision === revision) return true
    if (entry.stamp === undefined || !this.#follower.isAfloat(entry.stamp, entry.places)) return false
    entry.revision = revision
    return true
  }

  isServable(entry: Entry, now: Instant, maxLagMs: number): boolean {
    return this.isAfloat(entry) && now.wallMs < entry.expiresAtMs && this.#follower.lagMs(now) <= maxLagMs
  }
}
