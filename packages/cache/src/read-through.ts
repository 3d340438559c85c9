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

import type { Instant } from '@tidemark/tide'

import { CacheError } from './cache-error.js'
import type { Entry } from './entry.js'
import type { Found } from './found.js'
import type { Freshness } from './freshness.js'
import type { Holdings } from './holdings.js'
import type { L1 } from './l1/l1.js'
import type { Envelope } from './l2/envelope.js'
import type { L2 } from './l2/l2.js'
import { findFooting, levelOf, plainFooting } from './levels.js'
import type { Footing } from './levels.js'
import type { Ask } from './load/ask.js'
import { isBlind } from './load/ask.js'
import type { Outcome } from './load/flight.js'
import { Flight } from './load/flight.js'
import { takeTurn } from './load/lease.js'
import type { LeaseParts } from './load/lease.js'
import type { Origin } from './load/origin.js'
import { hasBegunBefore, mayJoin, mayKeep, mayTake } from './load/share-law.js'
import type { Policy } from './policy.js'
import type { RetryHold } from './retry-hold.js'
import type { Schedule } from './schedule.js'
import { within } from './schedule.js'
import type { Counters } from './stats.js'
import type { Tide } from './tide.js'
import type { Token } from '@tidemark/tide'

/** Joining again after a load that would not do; past this a call loads for itself. */
const maxTurns = 2

export interface ReadThroughParts {
  readonly tide: Tide
  readonly now: () => Instant
  readonly l1: L1
  readonly l2: L2 | undefined
  readonly freshness: Freshness
  readonly holdings: Holdings
  readonly holds: RetryHold
  readonly lease: Omit<LeaseParts, 'l2'>
  readonly schedule: Schedule
  readonly counters: Counters
  readonly maxJoiners: number
}

export interface Question<T> {
  readonly key: string
  readonly policy: Policy
  readonly standing: Policy
  readonly tags: readonly string[]
  readonly reveal: ((value: T) => readonly string[]) | undefined
  readonly origin: Origin<T>
}

export class ReadThrough {
  readonly #parts: ReadThroughParts
  readonly #flights = new Map<string, Flight>()
  #isClosed = false

  constructor(parts: ReadThroughParts) {
    this.#parts = parts
  }

  /** No promise where the level asks for nothing. @throws CacheError 'cache.token-unknown' */
  footing(policy: Policy, token: Token | undefined): Footing | Promise<Footing> {
    const isPlain = policy.level !== 'strict' && token === undefined
    return isPlain ? plainFooting : findFooting(this.#parts.tide, policy, token)
  }

  isLoading(key: string): boolean {
    return this.#flights.has(key)
  }

  close(): void {
    this.#isClosed = true
  }

  async find<T>(question: Question<T>, footing: Footing, token: Token | undefined): Promise<Found<T>> {
    if (this.#isClosed) throw new CacheError('cache.closed', 'this cache is closed')
    const { now, l1, freshness, holds, counters } = this.#parts
    const ask = this.#ask(question, footing, now())
    const held = l1.get(ask.key) as Entry<T> | undefined
    if (held !== undefined) {
      if (!freshness.isAfloat(held)) counters.sunk++
      else if (ask.at.wallMs >= held.expiresAtMs) counters.expired++
      else if (ask.mustLoad) counters.unproven++
      else {
        counters.hitsL1++
        return { entry: held, from: 'l1', shared: false, footing }
      }
    }
    const hasGrace = ask.policy.graceMs > 0 && levelOf(ask.policy, token) === 'bounded'
    if (hasGrace && holds.isHeld(ask.key, ask.at.monoMs)) {
      const stale = await this.#stale(ask)
      if (stale !== undefined) return stale
    }
    try {
      const found = this.#obtain(ask)
      return await (hasGrace && ask.policy.timeoutMs < ask.policy.hardTimeoutMs
        ? this.#orSoonStale(ask, found)
        : found)
    } catch (error) {
      const stale = hasGrace ? await this.#stale(ask) : undefined
      if (stale === undefined) throw footing.isUnreachable ? unavailable(error) : error
      holds.failed(ask.key, now().monoMs)
      return stale
    }
  }

  #ask<T>(
    { key, policy, standing, tags, reveal, origin }: Question<T>,
    footing: Footing,
    at: Instant,
  ): Ask<T> {
    const { follower } = this.#parts.tide
    const places = follower.table.locate(tags)
    return {
      key,
      policy,
      standing,
      at,
      deadlineMs: at.monoMs + policy.hardTimeoutMs,
      footing,
      mustLoad: isBlind(follower, footing, policy, at),
      tags,
      places,
      floor: follower.table.floorAt(places),
      epoch: follower.epoch,
      reveal,
      origin,
    }
  }

  async #obtain<T>(first: Ask<T>): Promise<Found<T>> {
    const { tide, now, counters } = this.#parts
    let ask = first
    for (let turn = 0; turn < maxTurns; turn++) {
      const running = this.#flights.get(ask.key) as Flight<T> | undefined
      if (running === undefined || !mayJoin(running, ask as Ask, tide.follower)) break
      const hadBegun = hasBegunBefore(running, ask as Ask)
      const outcome = await this.#join(running, ask)
      const isMine =
        outcome.from === 'l2'
          ? mayTake(outcome.entry, ask as Ask, tide.follower, now()) === 'may'
          : !hadBegun || mayKeep(outcome.entry, ask as Ask, tide.follower)
      if (isMine) {
        counters.shared++
        return { ...outcome, shared: true, footing: ask.footing }
      }
      const { at, deadlineMs } = first
      ask = { ...this.#ask(ask, ask.footing, now()), at, deadlineMs, mustLoad: true }
    }
    return { ...(await this.#launch(ask)), shared: false, footing: ask.footing }
  }

  async #join<T>(flight: Flight<T>, ask: Ask<T>): Promise<Outcome<T>> {
    const { schedule, maxJoiners, counters } = this.#parts
    if (flight.joiners >= maxJoiners) {
      counters.overloaded++
      throw new CacheError('cache.overloaded', `${flight.joiners} calls wait for one load`)
    }
    flight.joiners++
    const isOutlived = ask.deadlineMs >= flight.deadlineMs
    return await within(
      flight.outcome!,
      isOutlived ? Infinity : ask.policy.hardTimeoutMs,
      schedule,
      () =>
        new CacheError(
          'cache.load-timeout',
          'the load that this call had joined did not end within its hardTimeout',
        ),
    )
  }

  #launch<T>(ask: Ask<T>): Promise<Outcome<T>> {
    const flight = new Flight<T>(ask.deadlineMs, ask.mustLoad)
    this.#flights.set(ask.key, flight as Flight)
    this.#parts.counters.misses++
    flight.outcome = this.#land(flight, ask)
    return flight.outcome
  }

  async #land<T>(flight: Flight<T>, ask: Ask<T>): Promise<Outcome<T>> {
    try {
      return await this.#fly(flight, ask)
    } finally {
      if (this.#flights.get(ask.key) === flight) this.#flights.delete(ask.key)
    }
  }

  async #fly<T>(flight: Flight<T>, ask: Ask<T>): Promise<Outcome<T>> {
    const { l2, lease } = this.#parts
    if (l2 === undefined || ask.mustLoad) return await this.#load(flight, ask)
    const read = await l2.read(ask.key)
    const found = read.kind === 'found' ? this.#take<T>(read.envelope, ask) : undefined
    if (found !== undefined) return { entry: found, from: 'l2' }
    if (read.kind === 'trouble' || ask.policy.leaseMs === 0) return await this.#load(flight, ask)
    const turn = await takeTurn({ ...lease, l2 }, ask.key, ask.policy.leaseMs, ask.deadlineMs, (envelope) =>
      this.#take(envelope, ask),
    )
    if (turn.kind === 'taken') return { entry: turn.entry as Entry<T>, from: 'l2' }
    return await this.#load(flight, ask, turn.kind === 'owner' ? turn.owner : undefined)
  }

  /** What L2 held, if it is for this call; then L1 has it too. */
  #take<T>(envelope: Envelope, ask: Ask<T>): Entry<T> | undefined {
    const { tide, now, holdings, counters } = this.#parts
    const sighted = holdings.sight(envelope, ask as Ask)
    const verdict = mayTake(sighted, ask as Ask, tide.follower, now())
    if (verdict !== 'may') {
      counters[verdict]++
      return undefined
    }
    const entry = holdings.open(sighted, envelope) as Entry<T> | undefined
    if (entry === undefined) return undefined
    counters.hitsL2++
    holdings.refill(ask.key, entry)
    return entry
  }

  async #load<T>(flight: Flight<T>, ask: Ask<T>, owner?: string): Promise<Outcome<T>> {
    const { now, holdings, holds, counters, l2 } = this.#parts
    try {
      const value = await ask.origin.load(ask.key, flight)
      const revealed = value === undefined ? undefined : ask.reveal?.(value)
      const tags = revealed === undefined ? ask.tags : [...new Set([...ask.tags, ...revealed])]
      const loadCostMs = flight.beganAt === undefined ? 0 : now().monoMs - flight.beganAt.monoMs
      const { key, policy, standing } = ask
      const loaded = { key, value, stamp: flight.stamp, tags, policy, standing, loadCostMs }
      holds.succeeded(ask.key)
      return { entry: holdings.keep(loaded, owner), from: 'load' }
    } catch (error) {
      if (owner !== undefined) l2?.release(ask.key, owner)
      if (error instanceof CacheError && error.code === 'cache.overloaded') counters.overloaded++
      throw error
    }
  }

  /** What is held within its grace, however it came to be unfit; it is not stored again. */
  async #stale<T>(ask: Ask<T>): Promise<Found<T> | undefined> {
    const { l1, l2, now, holdings, counters } = this.#parts
    const isInGrace = (entry: Entry): boolean => now().wallMs < entry.staleUntilMs
    let entry = l1.peek(ask.key)
    if (entry === undefined || !isInGrace(entry)) {
      const read = await l2?.read(ask.key)
      if (read?.kind !== 'found') return undefined
      const sighted = holdings.sight(read.envelope, ask as Ask)
      entry = isInGrace(sighted) ? holdings.open(sighted, read.envelope) : undefined
      if (entry === undefined) return undefined
    }
    counters.staleServed++
    return { entry: entry as Entry<T>, from: 'stale', shared: false, footing: ask.footing }
  }

  /** The soft timeout: what grace allows, if the load takes too long; it goes on and its value is kept. */
  async #orSoonStale<T>(ask: Ask<T>, found: Promise<Found<T>>): Promise<Found<T>> {
    const { schedule, holds, now } = this.#parts
    try {
      return await within(found, ask.policy.timeoutMs, schedule, () => soon)
    } catch (error) {
      if (error !== soon) throw error
      const stale = await this.#stale(ask)
      if (stale === undefined) return await found
      // Late is as good as failed for those who come next: they need not wait as long to be told the same.
      holds.failed(ask.key, now().monoMs)
      found.catch(() => undefined)
      return stale
    }
  }
}

/** Never leaves this file; made once, since an error notes its stack, which costs as much as the look-up. */
const soon = new CacheError('cache.load-timeout', 'soft')

const unavailable = (cause: unknown): CacheError =>
  new CacheError('cache.unavailable', 'neither the log nor the origin answers', { cause })
