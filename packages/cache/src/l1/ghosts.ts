import { hashTag } from '@tidemark/tide'

const waysPerSet = 4
const wordsPerGhost = 2
const fewest = 256
const seed = 0

/**
 * Names of what was evicted of late, in fixed memory: 8 bytes each and no text.
 *
 * A name hashes to a set of four; each keeps the other half of its hash, and the number of the eviction that it was. A set
 * that is full forgets its oldest. Two names taken for one, or one forgotten early, cost an entry a better or a worse queue.
 */
export class Ghosts {
  readonly #hash = new Uint32Array(2)
  #words = new Uint32Array(0)
  #sets = 0
  /** Number of the eviction; 0 in a slot: free. */
  #evictions = 0

  /** `memory`: as many evictions as there are entries in the tier. Makes room for them where there is none: then all are forgotten. */
  add(key: string, memory: number): void {
    if (memory > this.#sets * waysPerSet) this.#makeRoom(memory)
    this.#evictions = (this.#evictions % 0xffffffff) + 1
    const first = this.#firstOf(key)
    let at = first
    for (let way = 1; way < waysPerSet; way++) {
      const other = first + way * wordsPerGhost
      if (this.#ageAt(other) > this.#ageAt(at)) at = other
    }
    this.#words[at] = this.#hash[1]!
    this.#words[at + 1] = this.#evictions
  }

  /** Whether `key` is among the last `memory` evicted; it is forgotten. */
  take(key: string, memory: number): boolean {
    if (this.#sets === 0) return false
    const first = this.#firstOf(key)
    for (let way = 0; way < waysPerSet; way++) {
      const at = first + way * wordsPerGhost
      if (this.#words[at] !== this.#hash[1] || this.#ageAt(at) > memory) continue
      this.#words[at + 1] = 0
      return true
    }
    return false
  }

  clear(): void {
    this.#words.fill(0)
  }

  #makeRoom(memory: number): void {
    this.#sets = 2 ** Math.ceil(Math.log2(Math.max(fewest, memory) / waysPerSet))
    this.#words = new Uint32Array(this.#sets * waysPerSet * wordsPerGhost)
  }

  /** Evictions since the one in slot `at`, itself included; a free slot is older than all. */
  #ageAt(at: number): number {
    const eviction = this.#words[at + 1]!
    if (eviction === 0) return Infinity
    return ((this.#evictions - eviction) >>> 0) + 1
  }

  #firstOf(key: string): number {
    hashTag(key, seed, this.#hash)
    return (this.#hash[0]! & (this.#sets - 1)) * waysPerSet * wordsPerGhost
  }
}
