/**
 * S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi, "FIFO queues are all you need for cache eviction", SOSP 2023), where uses pay for
 * room. Chosen by figures: docs/decisions/0008-what-l1-forgets.md.
 *
 * Newcomers pass through a small queue, a tenth of the tier. Those used meanwhile go on to the main one, the others leave, and
 * are known by name for as many evictions as there are entries: who comes back in that time goes to the main queue at once.
 * Whoever reaches the end of the main queue pays with its uses for another round, or leaves. So a scan passes through the small
 * queue and pushes nobody out of the main one.
 *
 * One round costs one use for each time that an entry holds the mean size, rounded, seven at most: what takes the room of
 * five must be used as often as five. What is larger than the mean is not remembered when it leaves. Where all are of one size
 * this is S3-FIFO itself.
 *
 * A hit raises a count on the entry and moves nothing. An eviction looks at 32 entries at most: then the next one leaves
 * whatever its uses, so that no call pays for all the hits before it.
 *
 * A value that replaces another takes over its place in the queue and its uses: they are the key's.
 */

import type { Entry } from '../entry.js'
import { Ghosts } from './ghosts.js'
import type { L1, L1Options } from './l1.js'
import { Queue } from './queue.js'

const smallShare = 0.1
const mostUses = 7
const mostSteps = 32

/** Set in the heat of what is in the main queue, beside the uses. */
const inMain = mostUses + 1

const usesOf = (entry: Entry): number => entry.heat & mostUses

export function s3FifoL1({ maxBytes = 64 * 1024 * 1024, maxEntries = 100_000 }: L1Options = {}): L1 {
  return new S3FifoL1(maxBytes, maxEntries)
}

class S3FifoL1 implements L1 {
  evicted: L1['evicted']
  readonly #maxBytes: number
  readonly #maxEntries: number
  readonly #byKey = new Map<string, Entry>()
  readonly #small = new Queue()
  readonly #main = new Queue()
  readonly #ghosts = new Ghosts()

  constructor(maxBytes: number, maxEntries: number) {
    this.#maxBytes = maxBytes
    this.#maxEntries = maxEntries
  }

  get(key: string): Entry | undefined {
    const entry = this.#byKey.get(key)
    if (entry !== undefined && (entry.heat & mostUses) !== mostUses) entry.heat++
    return entry
  }

  peek(key: string): Entry | undefined {
    return this.#byKey.get(key)
  }

  set(key: string, entry: Entry): void {
    const held = this.#byKey.get(key)
    if (held === entry) return
    if (entry.sizeBytes > this.#maxBytes) {
      if (held !== undefined) this.#remove(held)
      return
    }
    entry.key = key
    if (held !== undefined) {
      entry.heat = held.heat
      this.#queueOf(held).replace(held, entry)
      this.#byKey.set(key, entry)
      while (this.sizeBytes > this.#maxBytes) this.#evict()
      return
    }
    while (this.sizeBytes + entry.sizeBytes > this.#maxBytes || this.entries >= this.#maxEntries)
      this.#evict()
    entry.heat = this.#ghosts.take(key, this.entries) ? inMain : 0
    this.#queueOf(entry).push(entry)
    this.#byKey.set(key, entry)
  }

  delete(key: string): void {
    const held = this.#byKey.get(key)
    if (held !== undefined) this.#remove(held)
  }

  clear(): void {
    for (const entry of [...this.#byKey.values()]) this.#remove(entry)
    this.#ghosts.clear()
  }

  keys(): Iterable<string> {
    return this.#byKey.keys()
  }

  values(): Iterable<Entry> {
    return this.#byKey.values()
  }

  get entries(): number {
    return this.#byKey.size
  }

  get sizeBytes(): number {
    return this.#small.sizeBytes + this.#main.sizeBytes
  }

  #evict(): void {
    for (let steps = 0; ; steps++) {
      const isSmall = this.#main.entries === 0 || this.#isSmallOverfull()
      const entry = (isSmall ? this.#small : this.#main).oldest!
      const price = this.#priceOf(entry)
      if (usesOf(entry) < price || steps === mostSteps) {
        this.#remove(entry)
        if (isSmall && price === 1) this.#ghosts.add(entry.key, this.entries)
        this.evicted?.(entry.key, entry)
        return
      }
      this.#queueOf(entry).remove(entry)
      entry.heat = isSmall ? inMain : entry.heat - price
      this.#main.push(entry)
    }
  }

  #isSmallOverfull(): boolean {
    const { sizeBytes, entries } = this.#small
    return sizeBytes > this.#maxBytes * smallShare || entries > this.#maxEntries * smallShare
  }

  /** Of another round: 1 for an entry of the mean size. */
  #priceOf({ sizeBytes }: Entry): number {
    return Math.max(1, Math.min(mostUses, Math.round((sizeBytes * this.entries) / this.sizeBytes)))
  }

  #queueOf({ heat }: Entry): Queue {
    return heat < inMain ? this.#small : this.#main
  }

  #remove(entry: Entry): void {
    this.#queueOf(entry).remove(entry)
    this.#byKey.delete(entry.key)
  }
}
