import type { EvictionPolicy } from '../eviction-policy.js'

interface Node {
  readonly page: number
  readonly size: number
  isVisited: boolean
  newer: Node | undefined
  older: Node | undefined
}

/**
 * SIEVE (Zhang and others, NSDI 2024): a queue in order of arrival, a bit for each page, and a hand that walks from the
 * oldest to the newest. It clears the bits that it meets and evicts the first page without one, where it stays: unlike
 * CLOCK, nothing that survives moves, so what is new is judged soon.
 */
export class Sieve implements EvictionPolicy {
  readonly #capacity: number
  readonly #nodes = new Map<number, Node>()
  #newest: Node | undefined
  #oldest: Node | undefined
  #hand: Node | undefined
  #used = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  ask(page: number, size: number): boolean {
    const held = this.#nodes.get(page)
    if (held !== undefined) {
      held.isVisited = true
      return true
    }
    if (size > this.#capacity) return false
    while (this.#used + size > this.#capacity) this.#evict()
    const node: Node = { page, size, isVisited: false, newer: undefined, older: this.#newest }
    if (this.#newest === undefined) this.#oldest = node
    else this.#newest.newer = node
    this.#newest = node
    this.#nodes.set(page, node)
    this.#used += size
    return false
  }

  #evict(): void {
    let node = this.#hand ?? this.#oldest!
    while (node.isVisited) {
      node.isVisited = false
      node = node.newer ?? this.#oldest!
    }
    this.#hand = node.newer
    if (node.older === undefined) this.#oldest = node.newer
    else node.older.newer = node.newer
    if (node.newer === undefined) this.#newest = node.older
    else node.newer.older = node.older
    this.#nodes.delete(node.page)
    this.#used -= node.size
  }
}
