/** What one tag has sunk, of the latest values that it sank. */
export interface TagTally {
  readonly tag: string
  readonly sank: number
  /** Of those: loaded again to the very same bytes. */
  readonly same: number
}

const maxTags = 256

/** Which tags sink what need not have sunk. Bounded: the tag that sank something longest ago is forgotten. */
export class TagLedger {
  readonly #tags = new Map<string, { sank: number; same: number }>()

  sank(tags: readonly string[], isSame: boolean): void {
    for (const tag of tags) {
      const known = this.#tags.get(tag) ?? { sank: 0, same: 0 }
      this.#tags.delete(tag)
      this.#tags.set(tag, known)
      known.sank++
      if (isSame) known.same++
      if (this.#tags.size > maxTags) this.#tags.delete(this.#tags.keys().next().value!)
    }
  }

  /** The ones that sank most to no purpose first. */
  get all(): TagTally[] {
    return [...this.#tags].map(([tag, tally]) => ({ tag, ...tally })).sort((a, b) => b.same - a.same)
  }
}
