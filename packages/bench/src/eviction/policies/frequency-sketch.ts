const rows = 4
const most = 15
const seeds = [0x9e3779b9, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f]

/**
 * How often a page was asked for of late, never too low but for the halving: a count-min sketch of four rows with counts up
 * to 15, all halved after ten times as many requests as there are columns (Einziger and others, TinyLFU, 2017).
 */
export class FrequencySketch {
  readonly #counts: Uint8Array
  readonly #columns: number
  #added = 0

  constructor(pages: number) {
    this.#columns = 2 ** Math.ceil(Math.log2(Math.max(16, pages)))
    this.#counts = new Uint8Array(rows * this.#columns)
  }

  add(page: number): void {
    for (let row = 0; row < rows; row++) {
      const at = this.#at(row, page)
      if (this.#counts[at]! < most) this.#counts[at]!++
    }
    if (++this.#added < 10 * this.#columns) return
    this.#added = 0
    for (let i = 0; i < this.#counts.length; i++) this.#counts[i]! >>= 1
  }

  of(page: number): number {
    let least = most
    for (let row = 0; row < rows; row++) least = Math.min(least, this.#counts[this.#at(row, page)]!)
    return least
  }

  #at(row: number, page: number): number {
    let hash = Math.imul(page + 1, seeds[row]!)
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
    return row * this.#columns + ((hash ^ (hash >>> 15)) & (this.#columns - 1))
  }
}
