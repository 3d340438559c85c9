import type { Instant, Stamp, TagPlaces } from '@tidemark/tide'

import type { Advisor } from './advice/advisor.js'
import { earliestMs } from './early-refresh.js'
import { Entry, entryBytes } from './entry.js'
import type { ImplicitTags } from './implicit-tags.js'
import type { L1 } from './l1/l1.js'
import type { Envelope } from './l2/envelope.js'
import type { L2 } from './l2/l2.js'
import type { Ask } from './load/ask.js'
import type { Directions, HeldBefore } from './load/directions.js'
import type { Policy } from './policy.js'
import { estimateBytes } from './value-size.js'

export interface HoldingsParts {
  readonly implicit: ImplicitTags
  readonly random: () => number
  readonly now: () => Instant
  readonly l1: L1
  readonly l2: L2 | undefined
  readonly advisor: Advisor
}

/** What came from the origin, and what is to be kept with it. */
export interface Loaded<T> {
  readonly key: string
  readonly value: T
  readonly stamp: Stamp | undefined
  readonly tags: readonly string[]
  /** How long it is kept: the words of the call that loaded it included. */
  readonly policy: Policy
  /** What others may be served it under: without those words. */
  readonly standing: Policy
  readonly loadCostMs: number
  readonly directions: Directions
  /** Default: in both tiers. */
  readonly keepIn?: 'l1' | 'nowhere'
  /** Nobody loaded it: a caller said so. */
  readonly isTold?: boolean
  /** What L2 held before, and would not do. */
  readonly seen?: Envelope | undefined
}

/** Where what was loaded now is. */
export interface Kept<T> {
  readonly entry: Entry<T>
  /** Whether L2 has taken it; false where there is none. */
  readonly stored: Promise<boolean> | false
}

/** Puts values into the tiers: each with its own stamp and its own remaining time, and never an older over a newer. */
export class Holdings {
  readonly #parts: HoldingsParts
  #isClosed = false

  constructor(parts: HoldingsParts) {
    this.#parts = parts
  }

  /** From now on nothing is kept, whatever ends late. */
  close(): void {
    this.#isClosed = true
  }

  /**
   * Keeps `loaded` in both tiers, and gives `owner`'s lease back with the store. A value that has sunk meanwhile is kept
   * too: whoever finds it sees that, and a call that asked before may still take it.
   */
  keep<T>(loaded: Loaded<T>, owner?: string): Kept<T> {
    const { l1, l2, advisor } = this.#parts
    const { key, value, stamp, directions, keepIn } = loaded
    const isWanted = !directions.isSkipped && keepIn !== 'nowhere' && !this.#isClosed
    const isKept = stamp !== undefined && value !== undefined && isWanted
    const payload = isKept && keepIn !== 'l1' ? this.#encode(loaded) : undefined
    const entry = this.#entryOf(loaded, isKept ? (payload?.length ?? estimateBytes(value)) : 0)
    const held = l1.peek(key)
    if (isKept && isNotOlder(entry, held)) this.#replace(key, held, entry)
    if (isKept && loaded.isTold !== true) advisor.kept(entry)
    if (l2 !== undefined && payload !== undefined)
      return {
        entry,
        stored: l2.store(key, entry, payload, entry.staleUntilMs - this.#parts.now().wallMs, owner),
      }
    if (owner !== undefined) l2?.release(key, owner)
    return { entry, stored: false }
  }

  /** What was found in L2, before anyone has said whether it may be served: it is nobody's yet, and its value not decoded. */
  sight(envelope: Envelope, ask: Ask, now: Instant = this.#parts.now()): Entry {
    // No longer than this caller would keep it: its writer's clock, or its policy, may be another.
    const expiresAtMs = Math.min(envelope.expiresAtMs, now.wallMs + ask.policy.ttlMs)
    const { tags, places } = this.#tagsOf(envelope, ask)
    return new Entry({
      value: undefined,
      stamp: envelope.stamp,
      tags,
      places,
      loadedAtMs: envelope.loadedAtMs,
      expiresAtMs,
      staleUntilMs: Math.min(envelope.staleUntilMs, expiresAtMs + ask.policy.graceMs),
      earliestMs: earliestMs(expiresAtMs, envelope.loadCostMs, ask.policy.beta),
      seenAtMs: now.monoMs,
      loadCostMs: envelope.loadCostMs,
      validator: envelope.validator,
      sizeBytes: entryBytes(ask.key, tags, envelope.payload.length),
      policy: ask.standing,
    })
  }

  /** `sighted` with its value; undefined where the bytes are bad. */
  open(sighted: Entry, envelope: Envelope): Entry | undefined {
    const decoded = this.#parts.l2?.decode(envelope)
    if (decoded === undefined) return undefined
    sighted.value = decoded.value
    return sighted
  }

  /** What is held of `key`, in memory or as `seen` in L2, for a conditional request to the origin. */
  previous(key: string, seen: Envelope | undefined): HeldBefore | undefined {
    const { l1, l2 } = this.#parts
    const held = l1.peek(key)
    if (held !== undefined) return held
    const decoded = seen && l2?.decode(seen)
    if (decoded === undefined) return undefined
    const { validator, loadedAtMs, tags } = seen!
    return { value: decoded.value, validator, loadedAtMs, tags }
  }

  /** Takes what was found in L2 into L1, as old as it is. */
  refill(key: string, entry: Entry): void {
    if (this.#isClosed) return
    const held = this.#parts.l1.peek(key)
    if (isNotOlder(entry, held)) this.#replace(key, held, entry)
  }

  /** Lets go of what L1 holds of a key that is bypassed: its value has been loaded, and is kept by nobody. */
  drop(key: string, isUnfit: (held: Entry) => boolean): void {
    const { l1, advisor } = this.#parts
    const held = l1.peek(key)
    if (held === undefined || !isUnfit(held)) return
    l1.delete(key)
    advisor.ended(key, held)
  }

  #replace(key: string, held: Entry | undefined, entry: Entry): void {
    const { l1, advisor } = this.#parts
    if (held !== undefined) advisor.ended(key, held)
    l1.set(key, entry)
  }

  /** What L2 is to be given; undefined where there is none, or the codec cannot write it. */
  #encode<T>({ value, policy, seen }: Loaded<T>): Buffer | undefined {
    const { l2, advisor, now } = this.#parts
    if (l2 === undefined) return undefined
    const startedAtMs = now().monoMs
    const payload = l2.encode(value)
    if (payload === undefined) return undefined
    advisor.stored(policy, payload.length, now().monoMs - startedAtMs)
    if (seen !== undefined) advisor.reloaded(seen, payload)
    return payload
  }

  /** The stored tags, and those that the caller knows and the writer, of an older version, did not. */
  #tagsOf(envelope: Envelope, ask: Ask): { tags: readonly string[]; places: TagPlaces } {
    const stored = envelope.tags
    // Most often they are the same ones, which the caller has located already.
    if (stored === ask.tags) return ask
    if (stored.length === ask.tags.length && stored.every((tag, i) => tag === ask.tags[i])) return ask
    const tags = [...stored, ...ask.tags.filter((tag) => !stored.includes(tag))]
    return { tags, places: this.#parts.implicit.locate(ask.key, tags) }
  }

  #entryOf<T>(loaded: Loaded<T>, valueBytes: number): Entry<T> {
    const { key, value, stamp, tags, policy, standing, loadCostMs, directions } = loaded
    const { now: readClocks, random, implicit } = this.#parts
    const now = readClocks()
    const fullTtlMs = directions.ttlMs ?? (value === null ? policy.negativeTtlMs : policy.ttlMs)
    const ttlMs = policy.jitter === 0 ? fullTtlMs : fullTtlMs * (1 - policy.jitter * random())
    const expiresAtMs = now.wallMs + ttlMs
    return new Entry({
      value,
      stamp,
      tags,
      places: implicit.locate(key, tags),
      loadedAtMs: now.wallMs,
      expiresAtMs,
      staleUntilMs: expiresAtMs + policy.graceMs,
      earliestMs: earliestMs(expiresAtMs, loadCostMs, policy.beta),
      seenAtMs: now.monoMs,
      loadCostMs,
      validator: directions.validator,
      sizeBytes: entryBytes(key, tags, valueBytes),
      policy: standing,
    })
  }
}

/** The same fence as in L2: by term, then tidemark; of two alike the later one. */
function isNotOlder(entry: Entry, held: Entry | undefined): boolean {
  if (held?.stamp === undefined || entry.stamp === undefined) return true
  const { epoch, tidemark } = entry.stamp
  if (epoch.term !== held.stamp.epoch.term) return epoch.term > held.stamp.epoch.term
  return tidemark >= held.stamp.tidemark
}
