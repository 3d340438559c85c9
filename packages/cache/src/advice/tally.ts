/** What one kind of value has cost and saved in one stretch of time. */
export interface Tally {
  loads: number
  loadMs: number
  /** Loads whose value was not stored, since its key or kind is bypassed. */
  bypassed: number
  stored: number
  storedBytes: number
  encodeMs: number
  /** Calls of Redis, and what they took by the mean of late. */
  redisCalls: number
  redisMs: number
  /** Answers that cost no load because a value was held: hits in memory, as far as it is known, and in L2. */
  uses: number
  savedMs: number
  /** Calls that joined a load: saved too, but not by storing. */
  joined: number
  /** Values of which it is known how they ended. */
  ended: number
  endedUnused: number
  sunk: number
  sunkUnused: number
  /** Their ttl ended while they were afloat: they were still right. */
  expired: number
  evicted: number
  /** Found in L2 soon after they had made room in L1. */
  refilled: number
  /** Held and afloat, but not proven: and by how far the log trailed then, at most. */
  unproven: number
  unprovenLagMs: number
  /** The bound that was asked for then. */
  unprovenMaxLagMs: number
}

const newTally = (): Tally => ({
  loads: 0,
  loadMs: 0,
  bypassed: 0,
  stored: 0,
  storedBytes: 0,
  encodeMs: 0,
  redisCalls: 0,
  redisMs: 0,
  uses: 0,
  savedMs: 0,
  joined: 0,
  ended: 0,
  endedUnused: 0,
  sunk: 0,
  sunkUnused: 0,
  expired: 0,
  evicted: 0,
  refilled: 0,
  unproven: 0,
  unprovenLagMs: 0,
  unprovenMaxLagMs: 0,
})

const stretchMs = 5 * 60_000

/** The present stretch of time and the one before it: what is said is of the last 5 to 10 minutes. */
export class Tallies {
  #current = newTally()
  #previous: Tally | undefined
  #startedAtMs: number

  constructor(nowMs: number) {
    this.#startedAtMs = nowMs
  }

  /** To count in. */
  at(nowMs: number): Tally {
    const passedMs = nowMs - this.#startedAtMs
    if (passedMs >= stretchMs) {
      this.#previous = passedMs < 2 * stretchMs ? this.#current : undefined
      this.#current = newTally()
      this.#startedAtMs += Math.floor(passedMs / stretchMs) * stretchMs
    }
    return this.#current
  }

  /** Both together, and how long they are. */
  sum(nowMs: number): { readonly tally: Tally; readonly overMs: number } {
    const tally = { ...this.at(nowMs) }
    const overMs = nowMs - this.#startedAtMs
    if (this.#previous === undefined) return { tally, overMs }
    for (const name of Object.keys(tally) as (keyof Tally)[]) {
      const before = this.#previous[name]
      tally[name] = mostOf.includes(name) ? Math.max(tally[name], before) : tally[name] + before
    }
    return { tally, overMs: overMs + stretchMs }
  }
}

const mostOf: readonly (keyof Tally)[] = ['unprovenLagMs', 'unprovenMaxLagMs']
