import { LRUCache } from 'lru-cache'
import type { EvictionPolicy } from '../eviction-policy.js'

/** lru-cache itself. */
export class Lru implements EvictionPolicy {
  readonly #lru: LRUCache<number, number>

  constructor(capacity: number) {
    this.#lru = new LRUCache({ maxSize: capacity, sizeCalculation: (size) => size })
  }

  ask(page: number, size: number): boolean {
    if (this.#lru.get(page) !== undefined) return true
    this.#lru.set(page, size)
    return false
  }
}
