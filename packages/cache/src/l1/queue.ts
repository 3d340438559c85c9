import type { Entry } from '../entry.js'

/** Entries in the order in which they came, linked through themselves: nothing is made, and any of them can leave. */
export class Queue {
  oldest: Entry | undefined
  #newest: Entry | undefined
  entries = 0
  sizeBytes = 0

  push(entry: Entry): void {
    entry.older = this.#newest
    if (this.#newest === undefined) this.oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
    this.entries++
    this.sizeBytes += entry.sizeBytes
  }

  remove(entry: Entry): void {
    this.#link(entry.older, entry.newer)
    this.#unlink(entry)
  }

  /** Puts `by` where `entry` is. */
  replace(entry: Entry, by: Entry): void {
    const { older, newer } = entry
    this.#unlink(entry)
    this.#link(older, by)
    this.#link(by, newer)
    this.entries++
    this.sizeBytes += by.sizeBytes
  }

  #link(older: Entry | undefined, newer: Entry | undefined): void {
    if (older === undefined) this.oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
  }

  /** It keeps no link: one that has left must not hold those that have not. */
  #unlink(entry: Entry): void {
    entry.older = undefined
    entry.newer = undefined
    this.entries--
    this.sizeBytes -= entry.sizeBytes
  }
}
