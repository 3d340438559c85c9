import { CacheError } from '../cache-error.js'
import type { Schedule } from '../schedule.js'

export interface LoadGateOptions {
  readonly maxLoads: number
  readonly maxQueued: number
  readonly schedule: Schedule
}

/** At most so many loads at once, at most so many more waiting, in the order they came. */
export class LoadGate {
  readonly #maxLoads: number
  readonly #maxQueued: number
  readonly #schedule: Schedule
  readonly #waiting = new Set<() => void>()
  #loads = 0

  constructor({ maxLoads, maxQueued, schedule }: LoadGateOptions) {
    this.#maxLoads = maxLoads
    this.#maxQueued = maxQueued
    this.#schedule = schedule
  }

  get loading(): number {
    return this.#loads
  }

  get queued(): number {
    return this.#waiting.size
  }

  /**
   * Undefined: the load may begin at once. Each entry is followed by one `leave`.
   * @throws CacheError 'cache.overloaded', or as a rejection 'cache.load-timeout' when its turn has not come in `waitMs`
   */
  enter(waitMs: number): Promise<void> | undefined {
    if (this.#loads < this.#maxLoads) {
      this.#loads++
      return undefined
    }
    if (this.#waiting.size >= this.#maxQueued)
      throw new CacheError(
        'cache.overloaded',
        `${this.#loads} loads running and ${this.#waiting.size} waiting`,
      )
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        cancel()
        resolve()
      }
      const cancel = this.#schedule(waitMs, () => {
        this.#waiting.delete(admit)
        reject(new CacheError('cache.load-timeout', 'the load did not get its turn in time'))
      })
      this.#waiting.add(admit)
    })
  }

  /** Hands the place to whoever waits longest. */
  leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#loads--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
