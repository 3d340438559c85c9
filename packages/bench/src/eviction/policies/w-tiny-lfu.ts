import type { EvictionPolicy } from '../eviction-policy.js'
import { FrequencySketch } from './frequency-sketch.js'

const protectedShare = 0.8

/**
 * W-TinyLFU (Einziger, Friedman and Manes, 2017), as Caffeine has it: newcomers pass through a window in LRU order; what
 * falls out of it is let into the main part only where the sketch has seen it more often than what would have to leave. The
 * main part is a segmented LRU: probation, and four fifths of it protected. The window is of a fixed size here; Caffeine
 * moves its edge while it runs.
 */
export class WTinyLfu implements EvictionPolicy {
  readonly #capacity: number
  readonly #windowCapacity: number
  readonly #protectedCapacity: number
  readonly #sketch: FrequencySketch
  readonly #window = new Map<number, number>()
  readonly #probation = new Map<number, number>()
  readonly #protected = new Map<number, number>()
  #windowUsed = 0
  #mainUsed = 0
  #protectedUsed = 0

  constructor(capacity: number, windowShare: number, pages: number) {
    this.#capacity = capacity
    this.#windowCapacity = capacity * windowShare
    this.#protectedCapacity = (capacity - this.#windowCapacity) * protectedShare
    this.#sketch = new FrequencySketch(pages)
  }

  ask(page: number, size: number): boolean {
    this.#sketch.add(page)
    if (this.#touch(page, size)) return true
    if (size > this.#capacity) return false
    this.#window.set(page, size)
    this.#windowUsed += size
    for (const [candidate, its] of this.#window) {
      // The newest is judged at once where the window is smaller than one page.
      if (this.#windowUsed <= this.#windowCapacity) break
      this.#window.delete(candidate)
      this.#windowUsed -= its
      this.#judge(candidate, its)
    }
    return false
  }

  #touch(page: number, size: number): boolean {
    if (this.#window.delete(page)) this.#window.set(page, size)
    else if (this.#protected.delete(page)) this.#protected.set(page, size)
    else if (this.#probation.delete(page)) {
      this.#protected.set(page, size)
      this.#protectedUsed += size
      this.#demote()
    } else return false
    return true
  }

  #demote(): void {
    for (const [page, size] of this.#protected) {
      if (this.#protectedUsed <= this.#protectedCapacity) return
      this.#protected.delete(page)
      this.#protectedUsed -= size
      this.#probation.set(page, size)
    }
  }

  #judge(candidate: number, size: number): void {
    const mainCapacity = this.#capacity - this.#windowCapacity
    if (size > mainCapacity) return
    const rank = this.#sketch.of(candidate)
    while (this.#mainUsed + size > mainCapacity) {
      const victims = this.#probation.size > 0 ? this.#probation : this.#protected
      const [victim, its] = victims.entries().next().value!
      if (this.#sketch.of(victim) >= rank) return
      victims.delete(victim)
      this.#mainUsed -= its
      if (victims === this.#protected) this.#protectedUsed -= its
    }
    this.#probation.set(candidate, size)
    this.#mainUsed += size
  }
}
