import type { EvictionPolicy } from '../eviction-policy.js'

/**
 * The oldest goes first; with `isSecondChance` (CLOCK) one that was asked for since it was last looked at goes to the end
 * of the queue instead. A Map keeps the order of insertion: it is the queue.
 */
export class Fifo implements EvictionPolicy {
  readonly #capacity: number
  readonly #isSecondChance: boolean
  readonly #queue = new Map<number, { readonly size: number; isVisited: boolean }>()
  #used = 0

  constructor(capacity: number, isSecondChance: boolean) {
    this.#capacity = capacity
    this.#isSecondChance = isSecondChance
  }

  ask(page: number, size: number): boolean {
    const held = this.#queue.get(page)
    if (held !== undefined) {
      held.isVisited = true
      return true
    }
    if (size > this.#capacity) return false
    while (this.#used + size > this.#capacity) this.#evict()
    this.#queue.set(page, { size, isVisited: false })
    this.#used += size
    return false
  }

  #evict(): void {
    for (const [page, held] of this.#queue) {
      this.#queue.delete(page)
      if (!this.#isSecondChance || !held.isVisited) {
        this.#used -= held.size
        return
      }
      held.isVisited = false
      this.#queue.set(page, held)
    }
  }
}
