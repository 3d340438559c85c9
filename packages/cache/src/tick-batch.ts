/**
 * Collects what is asked for during one turn of the event loop and sends it together. `setImmediate` runs right after
 * the sockets have been read, so requests of different connections that were read in one turn share a batch, and none
 * waits for a timer.
 */
export class TickBatch<Item> {
  readonly #send: (items: Item[]) => void
  readonly #maxItems: number
  readonly #defer: (run: () => void) => void
  readonly #flush: () => void
  #items: Item[] = []
  #isDeferred = false

  constructor(
    send: (items: Item[]) => void,
    maxItems: number,
    defer: (run: () => void) => void = setImmediate,
  ) {
    this.#send = send
    this.#maxItems = maxItems
    this.#defer = defer
    this.#flush = () => {
      this.#isDeferred = false
      this.#sendAll()
    }
  }

  add(item: Item): void {
    this.#items.push(item)
    if (this.#items.length >= this.#maxItems) this.#sendAll()
    else if (!this.#isDeferred) {
      this.#isDeferred = true
      this.#defer(this.#flush)
    }
  }

  #sendAll(): void {
    if (this.#items.length === 0) return
    const items = this.#items
    this.#items = []
    this.#send(items)
  }
}
