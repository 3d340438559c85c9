/**
 * A clock for the hit path.
 *
 * Reading both clocks costs about twice an awaited `Map.get`. So one reading serves up to `hitsPerReading` hits of one
 * macrotask, and never outlives it: `process.nextTick` runs when the microtasks of the present macrotask have drained,
 * before the next one begins, and throws the reading away.
 *
 * Why that is as good as check-then-answer: everything that can reach this process (a request, a step of the log, a
 * proof of lag) arrives as a macrotask of its own. So each hit of this macrotask was asked for by code that ran after
 * the reading was taken or by a request that arrived no later, and any answer leaves the process after the macrotask
 * ends, however late its check was made. What remains is the time that one macrotask's microtasks take, and the bound
 * of 16 hits keeps that below a few microseconds of the cache's own work.
 *
 * Verdicts are not reused, only the time is: a floor that rises between two hits is seen by the second.
 */

import type { Instant } from '@tidemark/tide'

export const hitsPerReading = 16

export class TickClock {
  readonly #now: () => Instant
  readonly #afterTask: (run: () => void) => void
  readonly #forget: () => void
  #reading: Instant = { monoMs: 0, wallMs: 0 }
  #left = 0
  #isArmed = false

  constructor(now: () => Instant, afterTask: (run: () => void) => void = process.nextTick) {
    this.#now = now
    this.#afterTask = afterTask
    this.#forget = () => {
      this.#left = 0
      this.#isArmed = false
    }
  }

  /** A reading of this macrotask. */
  read(): Instant {
    if (this.#left === 0) return this.#take()
    this.#left--
    return this.#reading
  }

  /** A reading of now. */
  fresh(): Instant {
    return this.#now()
  }

  #take(): Instant {
    this.#left = hitsPerReading - 1
    this.#reading = this.#now()
    if (!this.#isArmed) {
      this.#isArmed = true
      this.#afterTask(this.#forget)
    }
    return this.#reading
  }
}
