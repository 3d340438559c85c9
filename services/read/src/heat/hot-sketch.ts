/**
 * Which keys are asked for most, in bounded memory.
 *
 * Each key has a count that fades with time, so that at a steady rate r it settles at r × `fadeMs`. When there are too many
 * keys the lower half of them is dropped. So no key's rate is ever overstated but by the luck of sampling; one that is asked
 * for less than most may be forgotten and begins anew, and one that is among the hottest stays.
 */
export interface Heated {
  readonly key: string
  /** As given with the latest count that had any. */
  readonly tags: readonly string[] | undefined
  /** Reads a second. */
  readonly heat: number
}

interface Count {
  reads: number
  samples: number
  tags: readonly string[] | undefined
}

/** How long a read is remembered, on average. */
const fadeMs = 10_000
/** Asked for so rarely that it is not worth its place. */
const leastReads = 0.5
/** One sample says nothing of a rate. */
const leastSamples = 2

export class HotSketch {
  readonly #counts = new Map<string, Count>()
  readonly #maxKeys: number

  constructor(maxKeys = 2_000) {
    this.#maxKeys = maxKeys
  }

  get size(): number {
    return this.#counts.size
  }

  /** `reads` of `key`, for which one sample stands. */
  count(key: string, reads: number, tags: readonly string[] | undefined): void {
    const known = this.#counts.get(key)
    if (known !== undefined) {
      known.reads += reads
      known.samples++
      known.tags = tags ?? known.tags
      return
    }
    this.#counts.set(key, { reads, samples: 1, tags })
    if (this.#counts.size > this.#maxKeys) this.#dropHalf()
  }

  /** Time has passed. */
  fade(elapsedMs: number): void {
    const kept = Math.exp(-elapsedMs / fadeMs)
    for (const [key, count] of this.#counts) {
      count.reads *= kept
      if (count.reads < leastReads) this.#counts.delete(key)
    }
  }

  /** Hottest first. */
  hottest(limit: number): Heated[] {
    return [...this.#counts]
      .filter(([, { samples }]) => samples >= leastSamples)
      .sort(([, one], [, other]) => other.reads - one.reads)
      .slice(0, limit)
      .map(([key, { tags, reads }]) => ({ key, tags, heat: (reads * 1_000) / fadeMs }))
  }

  #dropHalf(): void {
    const coldestFirst = [...this.#counts].sort(([, one], [, other]) => one.reads - other.reads)
    for (const [key] of coldestFirst.slice(0, Math.ceil(coldestFirst.length / 2))) this.#counts.delete(key)
  }
}
