/**
 * A value as this process holds it, in as few bytes as can be: there are as many of them as fit into memory.
 *
 * Times are kept as whole milliseconds from the start of the process, and what follows them as spans, since V8 keeps a small
 * integer in the field itself and gives any other number 16 bytes of its own. (Small: below 2^31. Later than 24 days after the
 * start two of the fields are no longer small; that costs bytes and nothing else.) Rounding never lengthens a promise: the
 * moment by which a load had ended is rounded up, spans are rounded down. One tag is kept without the array around it.
 */

import type { Stamp, TagPlaces, Token } from '@tidemark/tide'

import { longestKeptMs } from './duration.js'
import type { Policy } from './policy.js'

/** What an entry is made of. */
export interface EntryParts<T> {
  readonly value: T
  readonly stamp: Stamp | undefined
  readonly tags: readonly string[]
  readonly places: TagPlaces
  readonly loadedAtMs: number
  readonly expiresAtMs: number
  readonly staleUntilMs: number
  readonly earliestMs: number
  readonly seenAtMs: number
  readonly loadCostMs: number
  readonly validator: string | undefined
  readonly sizeBytes: number
  readonly policy: Policy
}

const neverChecked = -1

const originMs = Math.floor(performance.timeOrigin)

/** Stands for what is as good as endless; a real moment or span that would be spelled so lies a millisecond earlier. */
const endless = -1
const endlessMs = longestKeptMs / 2

/** `+ 0`: -0 is no small integer. */
const whole = (ms: number): number => {
  const down = Math.floor(ms) + 0
  return down === endless ? endless - 1 : down
}
const spanOf = (ms: number): number => (ms >= endlessMs ? endless : whole(ms))
const msOf = (span: number): number => (span === endless ? longestKeptMs : span)

/** Counted in the lowest bits of `#tally`; the rest is the tier's. */
const usesCounted = 255
const bitsOfUses = 8

/** Shared with every caller that hits it: nobody may change it or its value. */
export class Entry<T = unknown> {
  // What a hit looks at stands first and together: it is one line of the processor's cache, or two.

  /** Filled in by whoever decodes it; after that nobody changes it. */
  value: T
  /**
   * The follower's revision at which this entry was last found afloat: while that has not changed the check is one
   * comparison. A position would not do, since another epoch can give the same position again.
   */
  revision = neverChecked
  #earliest: number
  #tally = 0
  /** The position applied before its load began. Undefined: loaded while adrift; such an entry is never stored. */
  readonly stamp: Stamp | undefined
  /** Where `tags` lie in the follower's tide table. */
  readonly places: TagPlaces
  /** Its resource's, without the words of the call that filled it: a level or a lag that one asked for is not all's. */
  readonly policy: Policy
  /** A token that was asked for after its load had ended: it covers every change that the value can hold. */
  cover: Token | undefined = undefined
  /** For a conditional request to the origin. */
  readonly validator: string | undefined
  readonly sizeBytes: number
  /** The tier's own notes on what it holds, as `heat` is; an entry is in one tier, under one key. */
  key = ''
  older: Entry | undefined = undefined
  newer: Entry | undefined = undefined

  readonly #tags: string | readonly string[]
  readonly #loadedAt: number
  readonly #early: number
  readonly #grace: number
  readonly #seenAt: number
  readonly #costMicros: number

  constructor(parts: EntryParts<T>) {
    const { tags, loadedAtMs, expiresAtMs, earliestMs } = parts
    this.value = parts.value
    this.#earliest = expiresAtMs - loadedAtMs >= endlessMs ? endless : whole(earliestMs - originMs)
    this.stamp = parts.stamp
    this.places = parts.places
    this.policy = parts.policy
    this.validator = parts.validator
    this.sizeBytes = Math.ceil(parts.sizeBytes)
    this.#tags = tags.length === 1 ? tags[0]! : tags
    this.#loadedAt = Math.floor(loadedAtMs) - originMs
    this.#early = spanOf(expiresAtMs - earliestMs)
    this.#grace = spanOf(parts.staleUntilMs - expiresAtMs)
    this.#seenAt = Math.ceil(parts.seenAtMs) + 0
    this.#costMicros = Math.round(parts.loadCostMs * 1_000) + 0
  }

  /** Hits since this process has it, counted up to 255. */
  get uses(): number {
    return this.#tally & usesCounted
  }

  countUse(): void {
    if ((this.#tally & usesCounted) !== usesCounted) this.#tally++
  }

  get heat(): number {
    return this.#tally >> bitsOfUses
  }

  set heat(heat: number) {
    this.#tally = (heat << bitsOfUses) | (this.#tally & usesCounted)
  }

  get tags(): readonly string[] {
    return typeof this.#tags === 'string' ? [this.#tags] : this.#tags
  }

  /** Wall clock, ms since 1970; the three travel between machines, whose clocks differ: they bound memory, not truth. */
  get loadedAtMs(): number {
    return originMs + this.#loadedAt
  }

  get expiresAtMs(): number {
    return this.earliestMs + msOf(this.#early)
  }

  get staleUntilMs(): number {
    return this.expiresAtMs + msOf(this.#grace)
  }

  /** From when on a hit draws whether it begins the next load; `expiresAtMs` where none does. */
  get earliestMs(): number {
    return originMs + (this.#earliest === endless ? this.#loadedAt + longestKeptMs : this.#earliest)
  }

  /** Own monotonic clock: the load had surely ended by then (load's end here, or receipt from L2). */
  get seenAtMs(): number {
    return this.#seenAt
  }

  get loadCostMs(): number {
    return this.#costMicros / 1_000
  }
}

/** Map slot, the entry itself and its places: measured to within a tenth of the truth. */
const overheadBytes = 260
const bytesPerTag = 40

/** What an entry weighs in L1, given the weight of its value. */
export const entryBytes = (key: string, tags: readonly string[], valueBytes: number): number =>
  overheadBytes + 2 * key.length + bytesPerTag * tags.length + valueBytes
