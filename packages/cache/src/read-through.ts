/**
 * Decides what a call gets that the hit path could not answer, in this order:
 *
 * 1. the footing of its level (wait for a token, ask for the head);
 * 2. while the key's origin is being left alone: what grace allows;
 * 3. a load under way, if the share law lets this call join it;
 * 4. a flight of its own: L2, then the lease, then the origin;
 * 5. where that fails: what grace allows, else the error.
 *
 * The tiers store, the codec encodes, the share law judges; nothing here touches bytes or Redis.
 */

import type { Instant, Token } from '@tidemark/tide'

import type { Advisor } from './advice/advisor.js'
import { CacheError } from './cache-error.js'
import type { Entry } from './entry.js'
import type { Events } from './events/events.js'
import type { Found } from './found.js'
import type { Freshness } from './freshness.js'
import type { Holdings } from './holdings.js'
import type { ImplicitTags } from './implicit-tags.js'
import type { L1 } from './l1/l1.js'
import type { L2 } from './l2/l2.js'
import { findFooting, levelOf, plainFooting } from './levels.js'
import type { Footing } from './levels.js'
import type { Ask, Question } from './load/ask.js'
import { askOf } from './load/ask.js'
import type { Flights } from './load/flights.js'
import type { Policy } from './policy.js'
import type { RetryHold } from './retry-hold.js'
import type { Schedule } from './schedule.js'
import { within } from './schedule.js'
import type { Counters } from './stats.js'
import type { Tide } from './tide.js'

export interface ReadThroughParts {
  readonly tide: Tide
  readonly implicit: ImplicitTags
  readonly now: () => Instant
  readonly l1: L1
  readonly l2: L2 | undefined
  readonly freshness: Freshness
  readonly holdings: Holdings
  readonly holds: RetryHold
  readonly flights: Flights
  readonly schedule: Schedule
  readonly counters: Counters
  readonly events: Events
  readonly advisor: Advisor
  /** Called with a value that was found sunk, before it is looked for. */
  readonly onSunk: (entry: Entry, question: Question<unknown>) => void
  /** Resolves when the follower has found its position, or cannot for now; never rejects. */
  readonly started: Promise<void>
}

export class ReadThrough {
  readonly #parts: ReadThroughParts
  #isClosed = false

  constructor(parts: ReadThroughParts) {
    this.#parts = parts
  }

  /** No promise where the level asks for nothing. @throws CacheError 'cache.token-unknown' */
  footing(policy: Policy, token: Token | undefined): Footing | Promise<Footing> {
    const { tide, started } = this.#parts
    if (tide.follower.epoch === undefined) return started.then(() => findFooting(tide, policy, token))
    const isPlain = policy.level !== 'strict' && token === undefined
    return isPlain ? plainFooting : findFooting(tide, policy, token)
  }

  close(): void {
    this.#isClosed = true
  }

  /** Rejects with what the loader throws, or a CacheError. */
  find<T>(question: Question<T>, footing: Footing, token: Token | undefined): Promise<Found<T>> {
    let ask: Ask<T>
    try {
      ask = this.#ask(question, footing)
    } catch (error) {
      return Promise.reject(error as Error)
    }
    const held = this.#held(ask)
    if (held !== undefined) return Promise.resolve(held)
    const { holds } = this.#parts
    const hasGrace = ask.policy.graceMs > 0 && levelOf(ask.policy, token) === 'bounded'
    return hasGrace && holds.isHeld(ask.key, ask.at.monoMs)
      ? this.#stale(ask).then((stale) => stale ?? this.#obtain(ask, hasGrace))
      : this.#obtain(ask, hasGrace)
  }

  #obtain<T>(ask: Ask<T>, hasGrace: boolean): Promise<Found<T>> {
    const { now, holds, flights } = this.#parts
    const { footing, policy, key } = ask
    const found = flights.obtain(ask)
    if (!hasGrace && !footing.isUnreachable) return found
    const inTime = hasGrace && policy.timeoutMs < policy.hardTimeoutMs ? this.#orSoonStale(ask, found) : found
    return inTime.catch(async (error: unknown) => {
      const stale = hasGrace ? await this.#stale(ask) : undefined
      if (stale === undefined) throw footing.isUnreachable ? unavailable(error) : error
      holds.failed(key, now().monoMs)
      return stale
    })
  }

  /** From the tiers alone: what may be served now, or nothing. */
  async look<T>(question: Question<T>, footing: Footing): Promise<Found<T> | undefined> {
    const { l2, flights } = this.#parts
    const ask = this.#ask(question, footing)
    const held = this.#held(ask)
    if (held !== undefined || l2 === undefined || ask.mustLoad) return held
    const read = await l2.read(ask.key)
    if (read.kind !== 'found') return undefined
    const entry = flights.take(read.envelope, ask)
    return entry && { entry, from: 'l2', shared: false, footing }
  }

  /** Begins a load of what is still being served. */
  refresh<T>(question: Question<T>): void {
    if (!this.#isClosed) this.#parts.flights.refresh(this.#ask(question, plainFooting))
  }

  #ask<T>(question: Question<T>, footing: Footing): Ask<T> {
    if (this.#isClosed) throw new CacheError('cache.closed', 'this cache is closed')
    return askOf(question, footing, this.#parts.now(), this.#parts)
  }

  /** What L1 holds, if it is for this call; else why not is counted. */
  #held<T>(ask: Ask<T>): Found<T> | undefined {
    const { l1, freshness, counters, onSunk, events, advisor, tide } = this.#parts
    const held = l1.get(ask.key) as Entry<T> | undefined
    if (held === undefined) return undefined
    const of = { key: ask.key, kind: ask.policy.kind, tier: 'l1' } as const
    if (!freshness.isAfloat(held)) {
      counters.sunk++
      events.tell('sunk', { ...of, uses: held.uses })
      onSunk(held, ask as Question<unknown>)
    } else if (ask.at.wallMs >= held.expiresAtMs) {
      counters.expired++
      events.tell('expired', { ...of, uses: held.uses })
    } else if (ask.mustLoad) {
      counters.unproven++
      const lagMs = tide.follower.lagMs(ask.at)
      advisor.unproven(ask.policy, lagMs)
      events.tell('unproven', { ...of, lagMs, maxLagMs: ask.policy.maxLagMs })
    } else {
      counters.hitsL1++
      held.countUse()
      return { entry: held, from: 'l1', shared: false, footing: ask.footing }
    }
    return undefined
  }

  /** What is held within its grace, however it came to be unfit; it is not stored again. */
  async #stale<T>(ask: Ask<T>): Promise<Found<T> | undefined> {
    const { l2, now, holdings } = this.#parts
    const held = this.#staleInL1(ask)
    if (held !== undefined) return held
    const read = await l2?.read(ask.key)
    if (read?.kind !== 'found') return undefined
    const sighted = holdings.sight(read.envelope, ask as Ask)
    const entry = now().wallMs < sighted.staleUntilMs ? holdings.open(sighted, read.envelope) : undefined
    return entry && this.#asStale(ask, entry as Entry<T>, 'l2')
  }

  #staleInL1<T>(ask: Ask<T>): Found<T> | undefined {
    const { l1, now } = this.#parts
    const entry = l1.peek(ask.key) as Entry<T> | undefined
    if (entry === undefined) return undefined
    // No longer than this caller would have it: it was kept under another's words, or under none.
    const untilMs = Math.min(entry.staleUntilMs, entry.expiresAtMs + ask.policy.graceMs)
    return now().wallMs < untilMs ? this.#asStale(ask, entry, 'l1') : undefined
  }

  #asStale<T>(ask: Ask<T>, entry: Entry<T>, tier: 'l1' | 'l2'): Found<T> {
    const { counters, events, now } = this.#parts
    counters.staleServed++
    const ageMs = Math.max(0, now().wallMs - entry.loadedAtMs)
    events.tell('stale', { key: ask.key, kind: ask.policy.kind, tier, ageMs })
    return { entry, from: 'stale', shared: false, footing: ask.footing }
  }

  /** The soft timeout: what grace allows, if the load takes too long; it goes on and its value is kept. */
  async #orSoonStale<T>(ask: Ask<T>, found: Promise<Found<T>>): Promise<Found<T>> {
    const { schedule, holds, now } = this.#parts
    const failed = (): void => {
      holds.failed(ask.key, now().monoMs)
    }
    const behind = ask.policy.timeoutMs === 0 ? this.#staleInL1(ask) : undefined
    if (behind !== undefined) {
      found.catch(failed)
      return behind
    }
    try {
      return await within(found, ask.policy.timeoutMs, schedule, () => soon)
    } catch (error) {
      if (error !== soon) throw error
      const stale = await this.#stale(ask)
      if (stale === undefined) return await found
      // Late is as good as failed for those who come next: they need not wait as long to be told the same.
      if (ask.policy.timeoutMs > 0) failed()
      found.catch(failed)
      return stale
    }
  }
}

/** Never leaves this file; made once, since an error notes its stack, which costs as much as the look-up. */
const soon = new CacheError('cache.load-timeout', 'soft')

const unavailable = (cause: unknown): CacheError =>
  new CacheError('cache.unavailable', 'neither the log nor the origin answers', { cause })
