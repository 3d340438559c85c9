/** The tide table as it would be with endless memory: what every real table must lie at or above. */
export class ExactFloors {
  base = 0
  /** The highest position seen in this history. */
  highest = 0
  readonly #floors = new Map<string, number>()

  raise(tag: string, position: number): void {
    this.#floors.set(tag, Math.max(position, this.#floors.get(tag) ?? 0))
    this.highest = Math.max(this.highest, position)
  }

  raiseBase(position: number): void {
    this.base = Math.max(this.base, position)
    this.highest = Math.max(this.highest, position)
  }

  restart(position: number): void {
    this.#floors.clear()
    this.base = position
    this.highest = position
  }

  floorOf(tag: string): number {
    return Math.max(this.base, this.#floors.get(tag) ?? 0)
  }
}
