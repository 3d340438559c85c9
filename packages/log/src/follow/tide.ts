import type { Epoch, Follower, Instant, Token } from '@tidemark/tide'

import type { FollowCounters, FollowListener } from './observed-follower.js'

/**
 * - `reached`: the follower holds everything that the token covers
 * - `history-lost`: the token is of an older term, whose successor is followed: it counts as met, and the answer says so
 * - `beyond-log`: the log has no such position: a forged token, or one of another log
 * - `unreachable`: not shown within the time
 */
export type Reach = 'reached' | 'history-lost' | 'beyond-log' | 'unreachable'

/** What a cache or a service needs of a live follower. */
export interface Tide {
  /** Read it synchronously; only its sources write it. */
  readonly follower: Follower
  now(): Instant
  /** Makes the follower reach `token`: waits for what is delivered, then asks the log itself. Never rejects. */
  reach(token: Token, timeoutMs: number): Promise<Reach>
  /**
   * A token that covers everything committed before the call.
   * @throws LogError `log.unreachable`, `log.backlog`; `log.behind`, `log.forked` where the Postgres asked is not, or no
   * longer, of the history followed: it covers nothing then
   */
  head(timeoutMs: number): Promise<Token>
}

/**
 * Where the present proof of lag comes from; `memory`: the log is of this process alone; `blind`: none within the bound;
 * `adrift`: no position yet.
 */
export type FollowMode = 'stream' | 'postgres' | 'memory' | 'blind' | 'adrift'

export interface FollowStatus {
  readonly mode: FollowMode
  readonly applied: number
  readonly epoch: Epoch | undefined
  /** Infinity where no bound can be shown. */
  readonly lagMs: number
  readonly isStreamLive: boolean
  /** Where `start()` found its position; undefined: nowhere, it began later. */
  readonly startedFrom: 'checkpoint' | 'tail' | 'postgres' | undefined
  readonly counters: Readonly<FollowCounters> & { readonly reconnects: number; readonly pulls: number }
}

export interface LiveFollower extends Tide {
  /** Finds its position and begins to follow, once. Resolves also when no store answers: it goes on trying. */
  start(): Promise<void>
  /** Ends everything it began; waiting calls end as `unreachable`. */
  stop(): Promise<void>
  status(): FollowStatus
  /** Called after each step, in order; gives the function that ends it. A listener that throws is reported. */
  listen(listener: FollowListener): () => void
  /** Asks the log itself for its head now and goes there. @throws LogError */
  pull(): Promise<Token>
}

/** A log that a cache can follow and write to. Whoever makes it ends it. */
export interface InvalidationLog extends LiveFollower {
  /**
   * Numbers one change that touched `tags`; resolves with a token that covers it once it is in the log. Call it after the
   * commit that it announces. A call that failed may have been numbered all the same; repeating it does no harm.
   * @throws LogError `log.unreachable`: nobody may ever hear of it, call again; `log.stopped`
   */
  invalidate(tags: readonly string[], reason?: string): Promise<Token>
}
