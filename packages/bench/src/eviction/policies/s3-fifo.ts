import type { EvictionPolicy } from '../eviction-policy.js'

interface Held {
  readonly size: number
  uses: number
}

export interface S3FifoOptions {
  /** Part of the capacity that newcomers share. The paper: 0.1. */
  readonly smallShare: number
  /** Uses in the small queue that let a page into the main one. The paper: 2. */
  readonly usesToStay: number
  /** Uses are counted up to this. The paper: 3. */
  readonly mostUses: number
  /** Ours: a page as large as three of the mean size needs three times the uses, and a large one is not remembered. */
  readonly isBySize: boolean
  /** Ours: after so many pages that may stay, the next one goes whatever its uses, so that no walk is long. */
  readonly mostSteps: number
}

/**
 * S3-FIFO (Yang and others, SOSP 2023): newcomers pass through a small queue; those asked for meanwhile go on to the main
 * one, the others leave and are remembered by name alone for as long as the main queue would have held them: whoever comes
 * back in that time goes to the main one at once. The main queue is CLOCK with a count of uses.
 */
export class S3Fifo implements EvictionPolicy {
  readonly #capacity: number
  readonly #options: S3FifoOptions
  readonly #smallCapacity: number
  readonly #small = new Map<number, Held>()
  readonly #main = new Map<number, Held>()
  readonly #ghosts = new Set<number>()
  #smallUsed = 0
  #mainUsed = 0

  constructor(capacity: number, options: S3FifoOptions) {
    this.#capacity = capacity
    this.#options = options
    this.#smallCapacity = capacity * options.smallShare
  }

  ask(page: number, size: number): boolean {
    const held = this.#small.get(page) ?? this.#main.get(page)
    if (held !== undefined) {
      if (held.uses < this.#options.mostUses) held.uses++
      return true
    }
    if (size > this.#capacity) return false
    while (this.#smallUsed + this.#mainUsed + size > this.#capacity) this.#evict()
    if (this.#ghosts.delete(page)) this.#enterMain(page, { size, uses: 0 })
    else {
      this.#small.set(page, { size, uses: 0 })
      this.#smallUsed += size
    }
    return false
  }

  #evict(): void {
    const { usesToStay, mostSteps } = this.#options
    for (let steps = 0; ; steps++) {
      const isSmall = this.#smallUsed > this.#smallCapacity || this.#main.size === 0
      const [page, held] = (isSmall ? this.#small : this.#main).entries().next().value!
      const parts = this.#partsOf(held.size)
      this.#leave(isSmall, page, held.size)
      if (held.uses < (isSmall ? Math.max(parts, usesToStay) : parts) || steps >= mostSteps) {
        if (isSmall && parts === 1) this.#remember(page)
        return
      }
      held.uses = isSmall ? 0 : held.uses - parts
      this.#enterMain(page, held)
    }
  }

  #leave(isSmall: boolean, page: number, size: number): void {
    if (isSmall) {
      this.#small.delete(page)
      this.#smallUsed -= size
    } else {
      this.#main.delete(page)
      this.#mainUsed -= size
    }
  }

  /** How many pages of the mean size it is as large as: 1 for all where sizes do not count. */
  #partsOf(size: number): number {
    const { isBySize, mostUses } = this.#options
    if (!isBySize) return 1
    const held = this.#small.size + this.#main.size
    return Math.max(1, Math.min(mostUses, Math.round((size * held) / (this.#smallUsed + this.#mainUsed))))
  }

  #enterMain(page: number, held: Held): void {
    this.#main.set(page, held)
    this.#mainUsed += held.size
  }

  #remember(page: number): void {
    this.#ghosts.add(page)
    for (const oldest of this.#ghosts) {
      if (this.#ghosts.size <= this.#main.size + this.#small.size) return
      this.#ghosts.delete(oldest)
    }
  }
}
