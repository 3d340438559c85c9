/**
 * One Redis server: the stream, and the counter that asks are numbered by. It is trimmed, flushed, and replaced by an
 * older copy of itself, which is what a restart from an old file and a promoted replica that lacks the tail both are.
 */
import type { Beat, Link, Step } from '../../src/index.js'
import type { LogView } from './origin.js'
import type { Random } from './random.js'

export type Item = { readonly step: Step } | { readonly beat: Beat }

export class Redis {
  readonly #random: Random
  #items: Item[] = []
  /** Entries that were trimmed away; so an entry's place in the stream is `#trimmed` + its index. */
  #trimmed = 0
  #tail: Step | undefined
  generation: number
  count = 0

  constructor(random: Random) {
    this.#random = random
    this.generation = random.mark()
  }

  copy(): Redis {
    const copy = new Redis(this.#random)
    copy.#items = [...this.#items]
    copy.#trimmed = this.#trimmed
    copy.#tail = this.#tail
    copy.generation = this.generation
    copy.count = this.count
    return copy
  }

  /** The first entry at `place` or after it, past a trim without a word. */
  read(place: number): { item: Item; place: number } | undefined {
    const found = Math.max(place, this.#trimmed)
    const item = this.#items[found - this.#trimmed]
    return item && { item, place: found }
  }

  get length(): number {
    return this.#trimmed + this.#items.length
  }

  loseCounter(): void {
    this.generation = this.#random.mark()
    this.count = 0
  }

  trim(): void {
    const kept = this.#random.integer(1, 4)
    this.#trimmed += Math.max(0, this.#items.length - kept)
    this.#items = this.#items.slice(-kept)
  }

  flush(): void {
    this.#trimmed += this.#items.length
    this.#items = []
    this.#tail = undefined
    this.loseCounter()
  }

  /** Ships what the sink does not have of `view`; at most `limit` positions. */
  ship(view: LogView, limit: number): void {
    const tail = this.#tail
    if (tail !== undefined && tail.epoch.term > view.epoch.term) return
    const known = view.rows.findIndex((row) => row.position === tail?.position && row.mark === tail.mark)
    if (known === -1 && tail?.epoch.term === view.epoch.term && tail.position >= view.head) return
    let from = known + 1
    if (known === -1 && tail !== undefined && tail.epoch.term < view.epoch.term) {
      this.#trimmed += this.#items.length
      this.#items = []
      from = view.rows.findIndex((row) => row.epoch.term === view.epoch.term)
    }
    for (const step of view.rows.slice(from, from + limit)) {
      this.#items.push({ step })
      this.#tail = step
    }
  }

  /** Where the stream stands, if that is the head of `view` or past it. */
  linkAtHead(view: LogView): Link | undefined {
    const tail = this.#tail
    if (tail?.epoch.term !== view.epoch.term || tail.position < view.head) return undefined
    return { position: tail.position, mark: tail.mark }
  }

  append(beat: Beat): void {
    this.#items.push({ beat })
  }
}
