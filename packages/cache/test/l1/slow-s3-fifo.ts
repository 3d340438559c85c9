import type { Entry } from '../../src/entry.js'

interface Held {
  readonly key: string
  entry: Entry
  uses: number
}

/** The policy of the tier as it is told, with arrays: to compare with. Its ghosts are a list of names that loses none. */
export class SlowS3Fifo {
  small: Held[] = []
  main: Held[] = []
  ghosts: string[] = []
  readonly #maxBytes: number
  readonly #maxEntries: number

  constructor(maxBytes: number, maxEntries: number) {
    this.#maxBytes = maxBytes
    this.#maxEntries = maxEntries
  }

  get(key: string): Entry | undefined {
    const held = this.#find(key)
    if (held !== undefined) held.uses = Math.min(7, held.uses + 1)
    return held?.entry
  }

  set(key: string, entry: Entry): void {
    const held = this.#find(key)
    if (entry.sizeBytes > this.#maxBytes) this.delete(key)
    else if (held !== undefined) {
      held.entry = entry
      while (this.sizeBytes > this.#maxBytes) this.#evict()
    } else {
      while (this.sizeBytes + entry.sizeBytes > this.#maxBytes || this.#all.length === this.#maxEntries)
        this.#evict()
      const isGhost = this.ghosts.slice(-this.#all.length || Infinity).includes(key)
      if (isGhost) this.ghosts = this.ghosts.map((name) => (name === key ? '' : name))
      ;(isGhost ? this.main : this.small).push({ key, entry, uses: 0 })
    }
  }

  delete(key: string): void {
    this.small = this.small.filter((held) => held.key !== key)
    this.main = this.main.filter((held) => held.key !== key)
  }

  get sizeBytes(): number {
    return bytesOf(this.#all)
  }

  get #all(): Held[] {
    return [...this.small, ...this.main]
  }

  #find(key: string): Held | undefined {
    return this.#all.find((held) => held.key === key)
  }

  #evict(): void {
    for (let steps = 0; ; steps++) {
      const isOverfull =
        bytesOf(this.small) > this.#maxBytes / 10 || this.small.length > this.#maxEntries / 10
      const isSmall = this.main.length === 0 || isOverfull
      const price = this.#priceOf((isSmall ? this.small : this.main)[0]!)
      const held = (isSmall ? this.small : this.main).shift()!
      if (held.uses < price || steps === 32) {
        if (isSmall && price === 1) this.ghosts.push(held.key)
        return
      }
      held.uses = isSmall ? 0 : held.uses - price
      this.main.push(held)
    }
  }

  #priceOf({ entry }: Held): number {
    const mean = this.sizeBytes / this.#all.length
    return Math.max(1, Math.min(7, Math.round(entry.sizeBytes / mean)))
  }
}

const bytesOf = (held: readonly Held[]): number => held.reduce((sum, { entry }) => sum + entry.sizeBytes, 0)
