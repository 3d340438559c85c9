/**
 * While grace answers for an origin that fails, the origin is left alone for a while: for each key a hold that doubles
 * with each failure, jittered so that many keys do not come back together. Only calls that grace can answer are held;
 * the others ask the origin, as they must.
 */

const firstHoldMs = 200
const longestHoldMs = 5_000
const maxKeys = 10_000

interface Hold {
  readonly untilMs: number
  readonly failures: number
}

export class RetryHold {
  readonly #random: () => number
  readonly #holds = new Map<string, Hold>()

  constructor(random: () => number) {
    this.#random = random
  }

  /** `nowMs`: own monotonic clock. */
  isHeld(key: string, nowMs: number): boolean {
    const hold = this.#holds.get(key)
    return hold !== undefined && nowMs < hold.untilMs
  }

  failed(key: string, nowMs: number): void {
    if (this.isHeld(key, nowMs)) return
    const failures = (this.#holds.get(key)?.failures ?? 0) + 1
    const holdMs = Math.min(longestHoldMs, firstHoldMs * 2 ** (failures - 1))
    this.#holds.delete(key)
    this.#holds.set(key, { untilMs: nowMs + holdMs * (0.5 + this.#random() / 2), failures })
    if (this.#holds.size > maxKeys) this.#holds.delete(this.#holds.keys().next().value!)
  }

  succeeded(key: string): void {
    if (this.#holds.size > 0) this.#holds.delete(key)
  }
}
