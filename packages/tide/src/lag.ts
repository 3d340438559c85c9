/**
 * Lag, on the follower's own clock.
 *
 * A follower notes its time s and takes a number n from a counter beside the stream it follows. A heartbeat names the
 * count N that its flush had read *before* it sequenced; N ≥ n of the same generation of the counter therefore proves
 * that everything committed before s has been shipped at or before that heartbeat. No two machines' clocks are compared.
 *
 * Two readings make an instant because a suspended machine stops its monotonic clock: the larger of the two differences
 * counts, so a sleep shows in the wall clock, and a wall clock set back hides nothing. It cannot see a sleep during which,
 * or since the last proof before which, the wall clock was set back by as much.
 */

/** One reading of this process's two clocks, in milliseconds. Only differences mean anything. */
export interface Instant {
  readonly monoMs: number
  readonly wallMs: number
}

/**
 * Proof for a follower that is told of each change as it is numbered, in the same process: there is no instant, now or
 * later, before which something was numbered that it does not hold.
 */
export const always: Instant = { monoMs: Infinity, wallMs: Infinity }

/** A number taken from the counter, and when it was asked for. */
export interface Ask {
  /** Which life of the counter the number comes from; a counter that was lost starts another. */
  readonly generation: number
  readonly count: number
  /** Noted before the number was taken. */
  readonly at: Instant
}

/** Asks older than this many are dropped; each newer one proves more. */
export const maxOutstandingAsks = 32

export const elapsedMs = (from: Instant, to: Instant): number =>
  Math.max(to.monoMs - from.monoMs, to.wallMs - from.wallMs)

export class LagProof {
  #asks: Ask[] = []
  #provenAt: Instant | undefined

  /** The follower holds everything committed before this instant; undefined: it can show nothing. */
  get provenAt(): Instant | undefined {
    return this.#provenAt
  }

  ask(ask: Ask): void {
    this.#asks.push(ask)
    if (this.#asks.length > maxOutstandingAsks) this.#asks.shift()
  }

  /** Numbers of a connection that is gone prove nothing about the server that the next one reaches. */
  voidAsks(): void {
    this.#asks = []
  }

  /** A heartbeat that carries `count` of `generation` was read: every ask that it answers is proof. */
  answer(generation: number, count: number): void {
    const answered = this.#asks.filter((ask) => ask.generation === generation && ask.count <= count)
    if (answered.length === 0) return
    this.#asks = this.#asks.filter((ask) => !answered.includes(ask))
    for (const ask of answered) this.prove(ask.at)
  }

  /** Everything committed before `at` is held. Older proof never replaces newer. */
  prove(at: Instant): void {
    if (this.#provenAt === undefined || at.monoMs > this.#provenAt.monoMs) this.#provenAt = at
  }

  discard(): void {
    this.#asks = []
    this.#provenAt = undefined
  }

  /** Milliseconds by which the follower may trail the log; Infinity where it can show no bound. */
  lagMs(now: Instant): number {
    return this.#provenAt === undefined ? Infinity : Math.max(0, elapsedMs(this.#provenAt, now))
  }
}
