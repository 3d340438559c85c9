import type { Follower, Instant, Token } from '@tidemark/tide'

/**
 * - reached: the follower has applied the token's position
 * - history-lost: the token is of an older term and the new epoch is applied: it counts as met, and the answer says so
 * - beyond-log: the log has no such position: a forged token, or another deployment's
 * - unreachable: it could not be found out in time
 */
export type Reach = 'reached' | 'history-lost' | 'beyond-log' | 'unreachable'

/** What a cache needs of a live follower of the change log. */
export interface Tide {
  /** Read synchronously on every hit. */
  readonly follower: Follower
  /** This process's clocks: the ones the follower's proof of lag is written in. */
  now(): Instant
  /** Makes the follower reach `token`. Never longer than `timeoutMs`. */
  reach(token: Token, timeoutMs: number): Promise<Reach>
  /** A token that covers everything committed before the call. Rejects where the log cannot be asked. */
  head(timeoutMs: number): Promise<Token>
  /** Begins to follow; more calls change nothing. Resolves also where no store answers. Left out: it follows already. */
  start?(): Promise<void>
  /** Numbers one change of `tags`; resolves once it is in the log. Left out: changes are announced elsewhere. */
  invalidate?(tags: readonly string[], reason?: string): Promise<Token>
  /** `listener` is called after each step; gives the function that ends it. Left out: nothing is refreshed as it sinks. */
  listen?(listener: () => void): () => void
}
