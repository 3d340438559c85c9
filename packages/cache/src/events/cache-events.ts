import type { Epoch, Token } from '@tidemark/tide'

import type { BreakerState } from '../l2/redis-node.js'

/** Stands on every event. */
export interface OfNamespace {
  readonly namespace: string
}

/** About one key. For people who look for something: never a label of a metric, since there is no end of keys. */
export interface OfKey extends OfNamespace {
  readonly key: string
  /** As the policy or the loader names it; '' where none does. */
  readonly kind: string
}

export type Tier = 'l1' | 'l2'

export interface HeldEvent extends OfKey {
  readonly tier: Tier
}

export interface ChangeEvent extends OfNamespace {
  readonly tags: readonly string[]
  /** Undefined where the announcement gave none. */
  readonly token: Token | undefined
}

export interface KeyChangeEvent extends ChangeEvent {
  readonly key: string
}

/**
 * What a cache tells, by name: the channel of `name` is `tidemark:cache:name`. Nothing is told of hits in memory, which the
 * counters cover (`cache.stats()`): a hit costs what it costs. Where nobody listens an event costs one look at its channel.
 */
export interface CacheEvents {
  /** A call that neither a tier nor a load under way could answer: it looks for the value itself. */
  readonly miss: OfKey
  /** Found in L2, and served. */
  readonly 'hit-l2': OfKey
  /** Held, but a change has touched one of its tags, or it is of another epoch. `uses`: hits while it was held in L1. */
  readonly sunk: HeldEvent & { readonly uses: number }
  readonly expired: HeldEvent & { readonly uses: number }
  /** Held and afloat, but the follower could not show that it trails the log by `maxLagMs` at most. */
  readonly unproven: HeldEvent & { readonly lagMs: number; readonly maxLagMs: number }
  /** Served within its grace. */
  readonly stale: HeldEvent & { readonly ageMs: number }
  /** A call that was answered by a load that another call had begun. */
  readonly shared: OfKey
  /** A load that nobody waits for begins. */
  readonly refresh: OfKey
  /** Another process is loading the key: this one waits for its value. */
  readonly 'lease-wait': OfNamespace & { readonly key: string }
  /** It has waited long enough, and loads without a lease. */
  readonly 'lease-given-up': OfNamespace & { readonly key: string }
  readonly invalidate: ChangeEvent & { readonly reason: string | undefined }
  readonly put: KeyChangeEvent
  readonly delete: KeyChangeEvent
  readonly clear: ChangeEvent
  /** A call of Redis failed, was late, or was not made. */
  readonly 'l2-trouble': OfNamespace & {
    readonly call: L2Call
    readonly key: string
    readonly error: unknown
  }
  readonly breaker: OfNamespace & { readonly from: BreakerState; readonly to: BreakerState }
  /** Bytes in Redis that this cache cannot read: counted as a miss. */
  readonly undecodable: OfNamespace & { readonly key: string | undefined }
  /** Keys and kinds that are not worth caching now, and when they are again. `key` undefined: the whole kind. */
  readonly bypass: OfNamespace & {
    readonly kind: string
    readonly key: string | undefined
    readonly isBypassed: boolean
  }
  /** A new history: everything held before has sunk. */
  readonly adopted: OfNamespace & { readonly epoch: Epoch; readonly position: number }
  /** A gap in the log, or a change of everything: what was held before `base` has sunk. */
  readonly rebased: OfNamespace & { readonly base: number }
}

export type CacheEventName = keyof CacheEvents

export type L2Call = 'read' | 'claim' | 'store'

/** One call of a loader, its wait for a turn included, traced: `tracing:tidemark:cache:load:start`, and so on. */
export interface LoadTrace extends OfNamespace {
  readonly kind: string
  /** More than one where they are loaded together. */
  readonly keys: readonly string[]
  /** Own monotonic clock. */
  readonly startedAtMs: number
  /** Set when it has ended. */
  durationMs?: number
  /** Set where it has ended well: what the loader gave. */
  result?: unknown
  /** Set where it has failed. */
  error?: unknown
}

/** One call of Redis, as its caller sees it: `tracing:tidemark:cache:l2:start`, and so on. Those of a turn go out together. */
export interface L2Trace extends OfNamespace {
  readonly call: L2Call
  readonly key: string
  readonly startedAtMs: number
  /** Set when it has ended. What goes wrong is told by `l2-trouble`, and is a miss or a skipped store to the caller. */
  durationMs?: number
  result?: unknown
}
