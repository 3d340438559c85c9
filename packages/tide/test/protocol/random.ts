import { seededRandom } from '../seeded-random.js'

/** Choices of one seed. */
export class Random {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = seededRandom(seed)
  }

  chance(probability: number): boolean {
    return this.#next() < probability
  }

  /** From `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.#next() * (high - low + 1))
  }

  pick<T>(from: readonly T[]): T {
    return from[this.integer(0, from.length - 1)]!
  }

  mark(): number {
    return this.integer(1, 2 ** 48 - 1)
  }

  /** One of the actions, by weight. */
  act(actions: readonly (readonly [weight: number, act: () => void])[]): void {
    let left = this.#next() * actions.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, act] of actions) {
      left -= weight
      if (left < 0) return act()
    }
  }
}
