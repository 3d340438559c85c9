/**
 * What is held, one after the other: of L2, where every process's values are, or of L1 where there is no L2. Only what may
 * be served now is listed. It reads past L1 and fills nothing: whoever walks through everything needs no value twice.
 *
 * A walk also gives back what it finds sunk, since nobody else would: a value that is kept for as long as it is afloat has no
 * end of its own in Redis. It takes away what it saw and what is older, so a value that is stored meanwhile stays.
 */

import type { Follower, Instant, Stamp } from '@tidemark/tide'
import { isSameEpoch } from '@tidemark/tide'

import { CacheError } from './cache-error.js'
import type { Freshness } from './freshness.js'
import type { ImplicitTags } from './implicit-tags.js'
import type { L1 } from './l1/l1.js'
import type { L2 } from './l2/l2.js'
import type { Policy } from './policy.js'

/** Which ones. */
export interface ListOptions {
  /** Keys that begin with this. */
  readonly prefix?: string
  /** Values that carry this tag. */
  readonly tag?: string
}

export interface ListingParts {
  readonly follower: Follower
  readonly implicit: ImplicitTags
  readonly freshness: Freshness
  readonly policy: Policy
  readonly now: () => Instant
  readonly l1: L1
  readonly l2: L2 | undefined
  readonly started: Promise<void>
}

interface Listed {
  readonly key: string
  readonly read: () => { readonly value: unknown } | undefined
}

export class Listing {
  readonly #parts: ListingParts

  constructor(parts: ListingParts) {
    this.#parts = parts
  }

  async *keys(options: ListOptions): AsyncGenerator<string, void> {
    for await (const { key } of this.#all(options)) yield key
  }

  async *entries<T>(options: ListOptions): AsyncGenerator<[key: string, value: T], void> {
    for await (const { key, read } of this.#all(options)) {
      const found = read()
      if (found !== undefined) yield [key, found.value as T]
    }
  }

  async *#all({ prefix = '', tag }: ListOptions): AsyncGenerator<Listed, void> {
    const { l2, started } = this.#parts
    await started
    const carriesTag = (tags: readonly string[]): boolean => tag === undefined || tags.includes(tag)
    if (l2 === undefined) {
      yield* this.#inL1(prefix, carriesTag)
      return
    }
    for await (const keys of l2.keys(prefix)) {
      const reads = await Promise.all(keys.map((key) => l2.read(key)))
      for (const [i, read] of reads.entries()) {
        if (read.kind !== 'found') continue
        const { envelope } = read
        if (!this.#isServable(keys[i]!, envelope)) this.#giveBack(keys[i]!, envelope)
        else if (carriesTag(envelope.tags)) yield { key: keys[i]!, read: () => l2.decode(envelope) }
      }
    }
  }

  *#inL1(prefix: string, carriesTag: (tags: readonly string[]) => boolean): Generator<Listed, void> {
    const { l1, freshness, now, policy } = this.#parts
    for (const key of [...l1.keys()]) {
      const entry = l1.peek(key)
      if (entry === undefined || !key.startsWith(prefix) || !carriesTag(entry.tags)) continue
      if (freshness.isServable(entry, now(), policy.maxLagMs)) yield { key, read: () => entry }
    }
  }

  #isServable(key: string, held: Held): boolean {
    const { follower, implicit, policy, now: readClocks } = this.#parts
    const now = readClocks()
    const verdict = follower.verdict(held.stamp, implicit.locate(key, held.tags), policy.maxLagMs, now)
    if (verdict === 'unproven') throw blind()
    return verdict === 'afloat' && now.wallMs < held.expiresAtMs
  }

  /** If it has sunk for good: a term that this process has yet to hear of is another matter. */
  #giveBack(key: string, { stamp, tags }: Held): void {
    const { follower, implicit, l2 } = this.#parts
    const { epoch, tidemark } = stamp
    if (follower.epoch === undefined) return
    const isGone = isSameEpoch(epoch, follower.epoch)
      ? !follower.isAfloat(stamp, implicit.locate(key, tags))
      : epoch.term < follower.epoch.term
    if (isGone) l2?.remove(key, epoch.term, tidemark)
  }
}

const blind = (): CacheError =>
  new CacheError('cache.unavailable', 'what is held cannot be shown to be fresh now')

interface Held {
  readonly stamp: Stamp
  readonly tags: readonly string[]
  readonly expiresAtMs: number
}
