/**
 * Proof of lag without heartbeats: a head that was asked for after the instant s covers everything numbered before s, so
 * once it is applied, in its epoch, so is all of that.
 *
 * Heads are of one history each, and in one epoch none lies below an earlier one: so they are kept in the order asked and
 * proven from the front. When too many wait, the newest gives its place to the one that comes: the oldest must stay, or
 * a follower that is always a little behind would prove nothing.
 */

import { isSameEpoch } from '@tidemark/tide'
import type { Epoch, Instant, Link } from '@tidemark/tide'

import type { ObservedFollower } from '../follow/observed-follower.js'

interface Head {
  readonly epoch: Epoch
  readonly link: Link
  readonly at: Instant
}

const maxWaiting = 32

export class HeadProofs {
  readonly #observed: ObservedFollower
  #waiting: Head[] = []

  constructor(observed: ObservedFollower) {
    this.#observed = observed
  }

  /** `link` of `epoch` was the log's head at some time after `at`. */
  add(epoch: Epoch, link: Link, at: Instant): void {
    if (this.#observed.prove(epoch, link, at, 'stream')) return
    if (this.#waiting.length === maxWaiting) this.#waiting.pop()
    this.#waiting.push({ epoch, link, at })
  }

  /** The follower has moved. */
  check(): void {
    const { epoch: own } = this.#observed.follower
    if (this.#waiting.length === 0 || own === undefined) return
    this.#waiting = this.#waiting.filter(
      ({ epoch, link, at }) =>
        !this.#observed.prove(epoch, link, at, 'stream') &&
        (isSameEpoch(epoch, own) || epoch.term > own.term),
    )
  }

  /** Whoever answered is gone. */
  void(): void {
    this.#waiting = []
  }
}
