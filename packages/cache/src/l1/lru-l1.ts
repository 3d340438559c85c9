import { LRUCache } from 'lru-cache'

import type { Entry } from '../entry.js'
import type { L1, L1Options } from './l1.js'

/** Least recently used goes first. */
export function lruL1({ maxBytes = 64 * 1024 * 1024, maxEntries = 100_000 }: L1Options = {}): L1 {
  return new LruL1(maxBytes, maxEntries)
}

/** One for all: by default lru-cache makes an object for each `get`. */
const plainGet: LRUCache.GetOptions<string, Entry, unknown> = {}

class LruL1 implements L1 {
  readonly #lru: LRUCache<string, Entry>

  constructor(maxBytes: number, maxEntries: number) {
    this.#lru = new LRUCache({
      max: maxEntries,
      maxSize: maxBytes,
      sizeCalculation: (entry) => entry.sizeBytes,
    })
  }

  get(key: string): Entry | undefined {
    return this.#lru.get(key, plainGet)
  }

  peek(key: string): Entry | undefined {
    return this.#lru.peek(key)
  }

  set(key: string, entry: Entry): void {
    this.#lru.set(key, entry)
  }

  delete(key: string): void {
    this.#lru.delete(key)
  }

  clear(): void {
    this.#lru.clear()
  }

  get entries(): number {
    return this.#lru.size
  }

  get sizeBytes(): number {
    return this.#lru.calculatedSize
  }
}
