/**
 * The floors that a follower knows, in fixed memory.
 *
 * Invariant: for every tag ever raised, `floorOf(tag)` is at or above the highest position it was raised to. The table
 * may say more than the truth (a false miss), never less (a stale answer).
 *
 * Why it holds. A tag hashes to one bucket of 64 bytes: ten entries (16-bit fingerprint, 32-bit offset from one common
 * origin) and a residual offset. An entry of the same fingerprint is raised by max, so two tags that collide share the
 * higher floor. When a bucket is full, the lowest of its entries is forgotten into the residual, which is the floor of
 * every tag of that bucket without an entry; so what is forgotten only rises. Raising is a max-merge: order and
 * repetition do no harm.
 *
 * It refuses to store a list of tags, to grow, and to lower anything, `clear` included: `raiseBase` forgets entries only
 * where `base` then lies above all of them; `restart`, for another history, is the one exception.
 *
 * The residual lies at or below every entry of its bucket, since only the lowest is forgotten, and is 0 while there is a
 * free slot. Slots fill from the first and are freed all at once, so a free one (offset 0, fingerprint 0) is met only after
 * every entry, and reads as what it is: an entry at the residual.
 *
 * Layout of a bucket, in 32-bit words: [0] residual, [1..10] offsets (0 = free), [11..15] ten 16-bit fingerprints.
 */

import type { TagPlaces } from './places.js'
import { bucketAt, fingerprintAt, firstPlace, packPlaces, seedAt, unitsPerPlace } from './places.js'
import { hashTag } from './tag-hash.js'

const wordsPerBucket = 16
const entriesPerBucket = 10
const firstFingerprint = 22 // in 16-bit halves from the start of the bucket
const maxOffset = 0xffffffff
const maxBuckets = 2 ** 24 // 1 GiB
const farther = 2 ** 31 // how far below the newest position a moved origin lies

/** The table at one instant. `words` is a copy: 16 32-bit words a bucket. */
export interface TideTableSnapshot {
  readonly buckets: number
  readonly seed: number
  readonly base: number
  readonly origin: number
  readonly words: Uint32Array
}

export interface TideTableOptions {
  /** A power of two; 131,072 buckets (8 MiB) hold about 1.3 million distinct recently changed tags. */
  readonly buckets?: number
  /** 32 random bits. */
  readonly seed: number
}

export class TideTable {
  readonly buckets: number
  #seed: number
  #base = 0
  #origin = 0
  /** No entry lies above it; 0: no entries. */
  #highest = 0
  readonly #words: Uint32Array
  readonly #halves: Uint16Array
  readonly #hash = new Uint32Array(2)

  constructor({ buckets = 131_072, seed }: TideTableOptions) {
    if (!Number.isInteger(Math.log2(buckets)) || buckets < 1 || buckets > maxBuckets)
      throw new RangeError(`buckets: ${buckets} is not a power of two from 1 to ${maxBuckets}`)
    this.buckets = buckets
    this.#seed = seed >>> 0
    this.#words = new Uint32Array(buckets * wordsPerBucket)
    this.#halves = new Uint16Array(this.#words.buffer)
  }

  /** The floor under everything: a value whose tidemark lies below it has sunk, whatever its tags. */
  get base(): number {
    return this.#base
  }

  /** Sinks every value whose tidemark is below `position`. */
  raiseBase(position: number): void {
    if (position <= this.#base) return
    this.#base = position
    if (position >= this.#highest) this.#forget()
  }

  /** Starts again at `position` in another history, where positions may be lower than before. */
  restart(position: number): void {
    this.#base = position
    this.#forget()
  }

  /** Raises the floor of `tag` to at least `position`. */
  raise(tag: string, position: number): void {
    if (position <= this.#base) return
    if (position - this.#origin > maxOffset) this.#moveOrigin(position)
    if (position > this.#highest) this.#highest = position
    hashTag(tag, this.#seed, this.#hash)
    const bucket = (this.#hash[0]! & (this.buckets - 1)) * wordsPerBucket
    this.#put(bucket, this.#hash[1]! & 0xffff, Math.max(1, position - this.#origin))
  }

  /** Where `tags` lie in this table; valid until the table is restored from a snapshot with another seed. */
  locate(tags: readonly string[]): TagPlaces {
    const found: number[] = []
    for (const tag of tags) {
      hashTag(tag, this.#seed, this.#hash)
      found.push(this.#hash[0]! & (this.buckets - 1), this.#hash[1]! & 0xffff)
    }
    return packPlaces(this.#seed, found)
  }

  /** The highest floor of the tags at `places`, `base` included; Infinity where the places are another seed's. */
  floorAt(places: TagPlaces): number {
    if (seedAt(places) !== this.#seed) return Infinity
    let highest = 0
    for (let i = firstPlace; i < places.length; i += unitsPerPlace) {
      const offset = this.#offsetAt(bucketAt(places, i) * wordsPerBucket, fingerprintAt(places, i))
      if (offset > highest) highest = offset
    }
    const floor = this.#origin + highest
    return highest === 0 || floor < this.#base ? this.#base : floor
  }

  floorOf(tag: string): number {
    return this.floorAt(this.locate([tag]))
  }

  snapshot(): TideTableSnapshot {
    const { buckets } = this
    return { buckets, seed: this.#seed, base: this.#base, origin: this.#origin, words: this.#words.slice() }
  }

  /**
   * Takes over a snapshot's floors *and its seed*, so places made before are sunk: this is for a table nobody uses yet.
   * Returns false, and changes nothing, where the snapshot has another layout or its numbers are no positions.
   */
  restore(snapshot: TideTableSnapshot): boolean {
    if (snapshot.buckets !== this.buckets || snapshot.words.length !== this.#words.length) return false
    if (!isPosition(snapshot.base) || !isPosition(snapshot.origin)) return false
    this.#seed = snapshot.seed >>> 0
    this.#base = snapshot.base
    this.#origin = snapshot.origin
    this.#words.set(snapshot.words)
    this.#highest = snapshot.origin + maxOffset
    return true
  }

  #forget(): void {
    this.#origin = this.#base
    if (this.#highest === 0) return
    this.#highest = 0
    this.#words.fill(0)
  }

  #offsetAt(bucket: number, fingerprint: number): number {
    const fingerprints = bucket * 2 + firstFingerprint
    for (let i = 0; i < entriesPerBucket; i++)
      if (this.#halves[fingerprints + i] === fingerprint) return this.#words[bucket + 1 + i]!
    return this.#words[bucket]!
  }

  #put(bucket: number, fingerprint: number, offset: number): void {
    const words = this.#words
    const fingerprints = bucket * 2 + firstFingerprint
    let lowest = 0
    let lowestOffset = Infinity
    for (let i = 0; i < entriesPerBucket; i++) {
      const held = words[bucket + 1 + i]!
      if (this.#halves[fingerprints + i] === fingerprint) {
        if (offset > held) words[bucket + 1 + i] = offset
        return
      }
      if (held < lowestOffset) {
        lowest = i
        lowestOffset = held
      }
    }
    if (offset <= lowestOffset) {
      if (offset > words[bucket]!) words[bucket] = offset
      return
    }
    words[bucket] = lowestOffset
    words[bucket + 1 + lowest] = offset
    this.#halves[fingerprints + lowest] = fingerprint
  }

  /** Makes room for offsets once 2^32 positions have passed: what lies below the new origin is raised to just above it. */
  #moveOrigin(position: number): void {
    const origin = position - farther
    const shift = origin - this.#origin
    const words = this.#words
    for (let bucket = 0; bucket < words.length; bucket += wordsPerBucket) {
      for (let i = bucket; i <= bucket + entriesPerBucket; i++) {
        const offset = words[i]!
        if (offset !== 0) words[i] = offset > shift ? offset - shift : 1
      }
    }
    this.#origin = origin
  }
}

const isPosition = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
