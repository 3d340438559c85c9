import type { Follower, Token } from '@tidemark/tide'

import { durationMs } from './duration.js'
import type { Entry } from './entry.js'
import type { Freshness } from './freshness.js'
import type { L1 } from './l1/l1.js'
import { hasReached } from './levels.js'
import type { Level, Policy } from './policy.js'
import type { Duration } from './duration.js'
import type { Counters } from './stats.js'
import type { TickClock } from './tick-clock.js'

/** The words of a request that decide whether what L1 holds will do. */
export interface Demands {
  readonly policy?: Policy
  readonly level?: Level
  readonly maxLag?: Duration
  readonly token?: Token
}

export interface HitsParts {
  readonly follower: Follower
  readonly policy: Policy
  readonly clock: TickClock
  readonly l1: L1
  readonly freshness: Freshness
  readonly counters: Counters
}

/** The hit path: what L1 holds and may be served now. Nothing is made, nothing is waited for. */
export class Hits {
  readonly #follower: Follower
  readonly #policy: Policy
  readonly #clock: TickClock
  readonly #l1: L1
  readonly #freshness: Freshness
  readonly #counters: Counters
  /** A hit was found so near to its end that it may be time for the next load. */
  isNearEnd = false

  constructor({ follower, policy, clock, l1, freshness, counters }: HitsParts) {
    this.#follower = follower
    this.#policy = policy
    this.#clock = clock
    this.#l1 = l1
    this.#freshness = freshness
    this.#counters = counters
  }

  /** Sets `isNearEnd`. */
  find<T>(key: string, demands: Demands): Entry<T> | undefined {
    const policy = demands.policy ?? this.#policy
    if ((demands.level ?? policy.level) === 'strict') return undefined
    const maxLagMs = demands.maxLag === undefined ? policy.maxLagMs : durationMs(demands.maxLag, 'maxLag')
    const entry = this.#findWithin(key, maxLagMs)
    const isFarEnough = demands.token === undefined || hasReached(this.#follower, demands.token)
    return entry !== undefined && isFarEnough ? (this.#counted(entry) as Entry<T>) : undefined
  }

  /** As `find` where nothing is asked for but `policy`; the cache's own where there is none. Sets `isNearEnd`. */
  findUnder<T>(key: string, policy: Policy = this.#policy): Entry<T> | undefined {
    if (policy.level === 'strict') return undefined
    const entry = this.#findWithin(key, policy.maxLagMs)
    return entry === undefined ? undefined : (this.#counted(entry) as Entry<T>)
  }

  /** At `bounded`, under the entry's own policy, by a fresh reading of the clock; not near the end, where a draw is due. */
  findPlain<T>(key: string): Entry<T> | undefined {
    const entry = this.#l1.get(key)
    if (entry?.policy.level !== 'bounded') return undefined
    const now = this.#clock.fresh()
    if (now.wallMs >= entry.earliestMs) return undefined
    if (!this.#freshness.isServable(entry, now, entry.policy.maxLagMs)) return undefined
    return this.#counted(entry) as Entry<T>
  }

  /** Does not count, neither as a hit nor as a use. */
  peek<T>(key: string): Entry<T> | undefined {
    const entry = this.#l1.peek(key)
    if (entry === undefined || !this.#freshness.isServable(entry, this.#clock.fresh(), entry.policy.maxLagMs))
      return undefined
    return entry as Entry<T>
  }

  #findWithin(key: string, maxLagMs: number): Entry | undefined {
    const entry = this.#l1.get(key)
    if (entry === undefined || !this.#freshness.isAfloat(entry)) return undefined
    const now = this.#clock.read()
    this.isNearEnd = now.wallMs >= entry.earliestMs
    if (this.isNearEnd && now.wallMs >= entry.expiresAtMs) return undefined
    if (this.#follower.lagMs(now) > maxLagMs) return undefined
    return entry
  }

  #counted(entry: Entry): Entry {
    this.#counters.hitsL1++
    entry.countUse()
    return entry
  }
}
