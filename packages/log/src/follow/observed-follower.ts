/**
 * The follower with eyes on it: whoever feeds it feeds it through here, so that listeners, waiting calls and counters
 * see every step, whichever source it came from.
 *
 * It refuses one thing that the pure follower takes: at its own position, a link with another mark. In one epoch that is
 * another history; rebasing there would keep afloat what was read in the first. The log itself has to begin a new epoch.
 */

import type { Ask, Beat, Epoch, Follower, Instant, Link, Outcome, Token } from '@tidemark/tide'
import { isCoveredBy, isSameEpoch } from '@tidemark/tide'

import type { Clock } from '../clock.js'
import type { LogEntry } from '../entry.js'
import { asLogError } from '../errors.js'
import type { LogError } from '../errors.js'

export type FollowEvent =
  /** The floors of its tags have risen. */
  | { readonly kind: 'applied'; readonly entry: LogEntry }
  /** Something was missed: everything held before has sunk. */
  | { readonly kind: 'rebased'; readonly link: Link }
  /** A new history: everything held before has sunk. */
  | { readonly kind: 'adopted'; readonly epoch: Epoch; readonly link: Link }

export type FollowListener = (event: FollowEvent) => void

export interface FollowCounters {
  applied: number
  rebased: number
  adopted: number
  repeated: number
  ignored: number
}

/** Calls that wait for a token at one time; more are told at once that it is not here. */
const maxWaiters = 10_000

interface Waiter {
  readonly token: Token
  readonly settle: (met: Met | undefined) => void
}

/** How a token is met: its position is applied, or its term has ended and the new one is followed. */
export type Met = 'reached' | 'history-lost'

export class ObservedFollower {
  readonly follower: Follower
  readonly counters: FollowCounters = { applied: 0, rebased: 0, adopted: 0, repeated: 0, ignored: 0 }
  /** Where the latest proof of lag came from. */
  provenBy: 'stream' | 'postgres' | 'memory' | undefined
  readonly #clock: Clock
  readonly #onError: (error: LogError) => void
  readonly #listeners = new Set<FollowListener>()
  readonly #waiters = new Set<Waiter>()
  #isReleased = false

  constructor(follower: Follower, clock: Clock, onError: (error: LogError) => void) {
    this.follower = follower
    this.#clock = clock
    this.#onError = onError
  }

  apply(entry: LogEntry): Outcome {
    if (this.#isDenied(entry.epoch, entry)) return this.#count('ignored')
    const outcome = this.#count(this.follower.apply(entry))
    if (outcome === 'applied') this.#tell({ kind: 'applied', entry })
    else this.#tellOutcome(outcome)
    return outcome
  }

  /** A heartbeat below what is applied proves nothing: it may be of a copy that was rebuilt from another history. */
  hear(beat: Beat): Outcome {
    const { epoch, applied } = this.follower
    const isSame = epoch !== undefined && isSameEpoch(epoch, beat.epoch)
    if (isSame && beat.link.position < applied) return this.#count('repeated')
    if (this.#isDenied(beat.epoch, beat.link)) return this.#count('ignored')
    const before = this.follower.provenAt
    const outcome = this.#count(this.follower.hear(beat))
    if (this.follower.provenAt !== before) this.provenBy = 'stream'
    this.#tellOutcome(outcome)
    return outcome
  }

  /** Goes to a link without the steps before it: begins, rebases or adopts there. */
  jump(epoch: Epoch, link: Link): Outcome {
    return this.hear({ epoch, link, generation: -1, count: -1 })
  }

  ask(ask: Ask): void {
    this.follower.ask(ask)
  }

  voidAsks(): void {
    this.follower.voidAsks()
  }

  /** `link` of `epoch` was the log's head at some time after `at`, read from the log itself. */
  prove(epoch: Epoch, link: Link, at: Instant, by: 'stream' | 'postgres' | 'memory' = 'postgres'): boolean {
    const isProven = this.follower.prove(epoch, link.position, at)
    if (isProven) this.provenBy = by
    return isProven
  }

  met(token: Token): Met | undefined {
    const held = this.follower.token
    if (held === undefined || !isCoveredBy(token, held)) return undefined
    return token.term < held.term ? 'history-lost' : 'reached'
  }

  /** Waits until the token is met; undefined when it is not within `timeoutMs`, or too many wait already. */
  waitFor(token: Token, timeoutMs: number): Promise<Met | undefined> {
    const met = this.met(token)
    if (met !== undefined || this.#isReleased || this.#waiters.size >= maxWaiters) return Promise.resolve(met)
    return new Promise((resolve) => {
      const settle = (result: Met | undefined): void => {
        cancel()
        this.#waiters.delete(waiter)
        resolve(result)
      }
      const waiter = { token, settle }
      const cancel = this.#clock.after(timeoutMs, () => {
        settle(undefined)
      })
      this.#waiters.add(waiter)
    })
  }

  /** Ends every wait, also those that are still to begin. */
  release(): void {
    this.#isReleased = true
    for (const waiter of this.#waiters) waiter.settle(undefined)
  }

  listen(listener: FollowListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #isDenied(epoch: Epoch, link: Link): boolean {
    const own = this.follower
    if (own.epoch === undefined || !isSameEpoch(own.epoch, epoch)) return false
    return link.position === own.link.position && link.mark !== own.link.mark
  }

  #count(outcome: Outcome): Outcome {
    this.counters[outcome]++
    return outcome
  }

  #tellOutcome(outcome: Outcome): void {
    const { epoch, link } = this.follower
    if (outcome === 'rebased') this.#tell({ kind: 'rebased', link })
    if (outcome === 'adopted') this.#tell({ kind: 'adopted', epoch: epoch!, link })
  }

  #tell(event: FollowEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.#onError(asLogError(error, 'log.listener-failed', 'a listener of the follower threw'))
      }
    }
    for (const waiter of this.#waiters) {
      const met = this.met(waiter.token)
      if (met !== undefined) waiter.settle(met)
    }
  }
}
