/**
 * A clock for the hit path.
 *
 * Reading both clocks costs several times what the rest of a hit does, so the wall clock is read seldom and the monotonic
 * one on every call: whatever the caller did between two hits, a synchronous block of seconds too, the lag is judged by
 * the time that it is. A pair of readings is carried on by the monotonic clock for less than `reuseMs`, and never out of
 * its macrotask: `process.nextTick` runs when the microtasks of the present one have drained, before the next begins, and
 * throws it away.
 *
 * Why the wall clock may wait that long. It says two things. Whether an entry has expired: that is a matter of memory, not
 * of truth. And whether this machine was suspended, which its monotonic clock does not show: then everything that can
 * reach this process (a request, a step of the log, a proof of lag) comes as a macrotask of its own, after a new pair;
 * what was asked for in the macrotask that the suspension cut in two was asked before it.
 *
 * Verdicts are not reused, only the time is: a floor that rises between two hits is seen by the second.
 */

import type { Instant } from '@tidemark/tide'

export const reuseMs = 1

const { hrtime } = process

/** The quickest monotonic reading that there is; `performance.now()` is another view of the same clock. */
function monotonicMs(): number {
  const [seconds, nanos] = hrtime()
  return seconds * 1e3 + nanos * 1e-6
}

export interface TickClockOptions {
  /** Read on every call. May have another origin than `now`, not another pace. */
  readonly monoMs?: () => number
  readonly afterTask?: (run: () => void) => void
}

export class TickClock {
  readonly #now: () => Instant
  readonly #monoMs: () => number
  readonly #afterTask: (run: () => void) => void
  readonly #forget: () => void
  /** One object for all: what `read` gave is good until the next `read`. */
  readonly #reading = { monoMs: 0.5, wallMs: 0.5 }
  #pairMonoMs = 0.5
  #takenAtMs = -Infinity
  #isArmed = false

  constructor(
    now: () => Instant,
    { monoMs = monotonicMs, afterTask = process.nextTick }: TickClockOptions = {},
  ) {
    this.#now = now
    this.#monoMs = monoMs
    this.#afterTask = afterTask
    this.#forget = () => {
      this.#takenAtMs = -Infinity
      this.#isArmed = false
    }
  }

  /** The time, for use before the next call; its wall clock is of this macrotask and less than `reuseMs` old. */
  read(): Instant {
    const atMs = this.#monoMs()
    const sinceMs = atMs - this.#takenAtMs
    if (!(sinceMs < reuseMs)) return this.#take(atMs)
    this.#reading.monoMs = this.#pairMonoMs + sinceMs
    return this.#reading
  }

  /** A reading of both clocks, of the caller's own. */
  fresh(): Instant {
    return this.#now()
  }

  #take(atMs: number): Instant {
    const { monoMs, wallMs } = this.#now()
    this.#takenAtMs = atMs
    this.#pairMonoMs = monoMs
    this.#reading.monoMs = monoMs
    this.#reading.wallMs = wallMs
    if (!this.#isArmed) {
      this.#isArmed = true
      this.#afterTask(this.#forget)
    }
    return this.#reading
  }
}
