import type { EvictionPolicy, Request } from '../eviction-policy.js'

/**
 * Belady's optimum: what is asked for again latest leaves first, the newcomer included. It knows the future, so it is a
 * bound and no policy; with pages of several sizes it is no longer the best possible, only better than all that can be had.
 */
export class Belady implements EvictionPolicy {
  readonly #capacity: number
  /** For each request, when its page is asked for next. */
  readonly #nextUse: Float64Array
  readonly #held = new Map<number, { readonly size: number; nextUse: number }>()
  /** A heap with the latest next use on top; what was asked for meanwhile is skipped when it comes up. */
  readonly #heap: { readonly page: number; readonly nextUse: number }[] = []
  #clock = 0
  #used = 0

  constructor(capacity: number, requests: readonly Request[]) {
    this.#capacity = capacity
    this.#nextUse = new Float64Array(requests.length)
    const seen = new Map<number, number>()
    for (let i = requests.length - 1; i >= 0; i--) {
      const { page } = requests[i]!
      this.#nextUse[i] = seen.get(page) ?? Infinity
      seen.set(page, i)
    }
  }

  ask(page: number, size: number): boolean {
    const nextUse = this.#nextUse[this.#clock++]!
    const held = this.#held.get(page)
    if (held === undefined) {
      if (size > this.#capacity || nextUse === Infinity) return false
      this.#held.set(page, { size, nextUse })
      this.#used += size
    } else held.nextUse = nextUse
    this.#push({ page, nextUse })
    while (this.#used > this.#capacity) this.#evict()
    return held !== undefined
  }

  #evict(): void {
    const { page, nextUse } = this.#pop()
    const held = this.#held.get(page)
    if (held?.nextUse !== nextUse) return
    this.#held.delete(page)
    this.#used -= held.size
  }

  #push(item: { page: number; nextUse: number }): void {
    const heap = this.#heap
    let at = heap.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (heap[parent]!.nextUse >= item.nextUse) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = item
  }

  #pop(): { page: number; nextUse: number } {
    const heap = this.#heap
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.nextUse > heap[child]!.nextUse) child++
      if (heap[child]!.nextUse <= last.nextUse) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return top
  }
}
