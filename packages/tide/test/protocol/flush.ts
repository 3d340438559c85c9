/** One flush, a stage at a time, so that anything may happen between two stages: count, sequence, ship, heartbeat. */
import type { LogView, Origin } from './origin.js'
import type { Random } from './random.js'
import type { Redis } from './redis.js'

export class Flush {
  isDone = false
  readonly #redis: Redis
  readonly #generation: number
  readonly #count: number
  #view: LogView | undefined
  #isShipped = false

  /** The counter is read before anything is sequenced, and on the connection that the heartbeat will use. */
  constructor(redis: Redis) {
    this.#redis = redis
    this.#generation = redis.generation
    this.#count = redis.count
  }

  advance(origin: Origin, redis: Redis, random: Random, tick: number): void {
    if (this.#view === undefined) {
      if (origin.sequence(tick)) this.#view = origin.view()
    } else if (!this.#isShipped) {
      redis.ship(this.#view, random.chance(0.8) ? Infinity : 1)
      this.#isShipped = true
    } else {
      this.isDone = true
      const link = redis.linkAtHead(this.#view)
      // A number read from a server says nothing about the asks of the one that took its place.
      if (link === undefined || redis !== this.#redis) return
      redis.append({ epoch: this.#view.epoch, link, generation: this.#generation, count: this.#count })
    }
  }
}
