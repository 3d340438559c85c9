/**
 * The look-ups under way, one or more for a key: who may join which, and what a new one does: L2, then the lease, then the
 * origin.
 *
 * A refresh is a flight that nobody waits for. It takes the lease or leaves the work to whoever has it, so that of all the
 * processes that hold a key one loads it; those who come meanwhile may join it like any other.
 */

import type { Instant } from '@tidemark/tide'

import { CacheError } from '../cache-error.js'
import type { Advisor } from '../advice/advisor.js'
import type { Entry } from '../entry.js'
import type { Events } from '../events/events.js'
import type { Found } from '../found.js'
import type { Holdings, Loaded } from '../holdings.js'
import type { ImplicitTags } from '../implicit-tags.js'
import type { L1 } from '../l1/l1.js'
import type { Envelope } from '../l2/envelope.js'
import type { L2 } from '../l2/l2.js'
import type { RetryHold } from '../retry-hold.js'
import { within } from '../schedule.js'
import type { Counters } from '../stats.js'
import type { Tide } from '../tide.js'
import type { Ask } from './ask.js'
import { askOf } from './ask.js'
import { Flight } from './flight.js'
import type { LeaseParts } from './lease.js'
import { takeTurn } from './lease.js'
import type { LoadGate } from './load-gate.js'
import { PassingMap } from './passing-map.js'
import { hasBegunBefore, mayJoin, mayKeep, mayTake } from './share-law.js'
import { takeFromL2 } from './take-from-l2.js'
import type { Take } from './take-from-l2.js'

/** Joining again after a load that would not do; past this a call loads for itself. */
const maxTurns = 2

export interface FlightsParts {
  readonly tide: Tide
  readonly implicit: ImplicitTags
  readonly now: () => Instant
  readonly l1: L1
  readonly l2: L2 | undefined
  readonly holdings: Holdings
  readonly holds: RetryHold
  readonly gate: LoadGate
  readonly lease: Omit<LeaseParts, 'l2'>
  readonly counters: Counters
  readonly events: Events
  readonly advisor: Advisor
  /** What L1 holds and nobody may be served, but for grace. */
  readonly isUnfit: (held: Entry) => boolean
  readonly maxJoiners: number
}

export class Flights {
  /** What L2 held, if it is for this call. */
  readonly take: Take
  readonly #parts: FlightsParts
  readonly #flights = new PassingMap<string, Flight>()
  readonly #refreshing = new Set<string>()
  readonly #turns: LeaseParts | undefined

  constructor(parts: FlightsParts) {
    this.#parts = parts
    this.take = takeFromL2(parts)
    this.#turns = parts.l2 && { ...parts.lease, l2: parts.l2 }
  }

  isLoading(key: string): boolean {
    return this.#flights.has(key)
  }

  /** A value for `ask`, loaded by whoever may. Rejects with what the loader throws, or a CacheError. */
  obtain<T>(ask: Ask<T>): Promise<Found<T>> {
    const running = this.#flights.get(ask.key) as Flight<T> | undefined
    if (running !== undefined && mayJoin(running, ask as Ask, this.#parts.tide.follower))
      return this.#share(running, ask)
    this.#missed(ask as Ask)
    return this.#launch(ask)
  }

  async #share<T>(first: Flight<T>, asked: Ask<T>): Promise<Found<T>> {
    const { tide, now, counters, events, advisor } = this.#parts
    let ask = asked
    let running: Flight<T> | undefined = first
    for (let turn = 1; ; turn++) {
      const hadBegun = hasBegunBefore(running, ask as Ask)
      const found: Found<T> = await this.#join(running, ask)
      const isMine =
        found.from === 'l2'
          ? mayTake(found.entry, ask as Ask, tide.follower, now()) === 'may'
          : !hadBegun || mayKeep(found.entry, ask as Ask, tide.follower)
      if (isMine) {
        counters.shared++
        found.entry.countUse()
        advisor.joined(found.entry)
        events.tell('shared', { key: ask.key, kind: ask.policy.kind })
        return { ...found, shared: true, footing: ask.footing }
      }
      const { at, deadlineMs } = asked
      ask = { ...askOf(asked, asked.footing, now(), this.#parts), at, deadlineMs, mustLoad: true }
      running = this.#flights.get(ask.key) as Flight<T> | undefined
      if (turn === maxTurns || running === undefined || !mayJoin(running, ask as Ask, tide.follower)) break
    }
    this.#missed(ask as Ask)
    return await this.#launch(ask)
  }

  #missed({ key, policy }: Ask): void {
    const { counters, events } = this.#parts
    counters.misses++
    if (events.isHeard('miss')) events.tell('miss', { key, kind: policy.kind })
  }

  /** Begins a load that nobody waits for, unless one is under way here or elsewhere, or others wait for their turn. */
  refresh<T>(ask: Ask<T>): void {
    const { gate, holds, now } = this.#parts
    if (this.#flights.has(ask.key) || this.#refreshing.has(ask.key) || gate.queued > 0) return
    if (holds.isHeld(ask.key, now().monoMs)) return
    this.#refreshing.add(ask.key)
    void this.#refresh(ask).finally(() => this.#refreshing.delete(ask.key))
  }

  async #refresh<T>(ask: Ask<T>): Promise<void> {
    const { l1, l2, lease, holds, now, counters, events, advisor } = this.#parts
    let owner: string | undefined
    if (l2 !== undefined && ask.policy.leaseMs > 0) {
      owner = lease.newOwner()
      advisor.asked(ask.policy, ask.at.monoMs)
      const claim = await l2.claim(ask.key, owner, ask.policy.leaseMs, ask.floor)
      if (claim.kind === 'trouble') owner = undefined
      else {
        const held = l1.peek(ask.key)
        const isNewer = claim.envelope !== undefined && claim.envelope.loadedAtMs > (held?.loadedAtMs ?? 0)
        const isTaken = isNewer && this.take(claim.envelope, ask) !== undefined
        if (claim.kind === 'held-by-another') return
        if (isTaken || this.#flights.has(ask.key)) {
          l2.release(ask.key, owner)
          return
        }
        counters.leasesTaken++
      }
    }
    counters.refreshes++
    events.tell('refresh', { key: ask.key, kind: ask.policy.kind })
    await this.#launch({ ...ask, mustLoad: true }, owner).catch(() => {
      holds.failed(ask.key, now().monoMs)
    })
  }

  async #join<T>(flight: Flight<T>, ask: Ask<T>): Promise<Found<T>> {
    const { lease, maxJoiners, counters, now } = this.#parts
    if (flight.joiners >= maxJoiners) {
      counters.overloaded++
      throw new CacheError('cache.overloaded', `${flight.joiners} calls wait for one load`)
    }
    flight.joiners++
    const isOutlived = ask.deadlineMs >= flight.deadlineMs
    return await within(
      flight.outcome!,
      isOutlived ? Infinity : ask.deadlineMs - now().monoMs,
      lease.schedule,
      () =>
        new CacheError(
          'cache.load-timeout',
          'the load that this call had joined did not end within its hardTimeout',
        ),
    )
  }

  #launch<T>(ask: Ask<T>, owner?: string): Promise<Found<T>> {
    const flight = new Flight<T>(ask.deadlineMs, ask.mustLoad, ask.policy.kind)
    const outcome = flight.outcome!
    this.#flights.set(ask.key, flight as Flight)
    const { l2, advisor } = this.#parts
    if (owner === undefined) flight.route = advisor.route(ask)
    if (owner !== undefined || ask.mustLoad || l2 === undefined || flight.route === 'bypass')
      this.#load(flight, ask, owner)
    else this.#look(flight, ask, l2)
    return outcome
  }

  /** Most flights end here, so this is done without promises. */
  #look<T>(flight: Flight<T>, ask: Ask<T>, l2: L2): void {
    this.#parts.advisor.asked(ask.policy, ask.at.monoMs)
    l2.look(ask.key, ask.tags, (read) => {
      try {
        const entry = read.kind === 'found' ? this.#takeFor(flight, read.envelope, ask) : undefined
        if (entry !== undefined) this.#land(flight, ask, entry, 'l2')
        else if (read.kind === 'trouble' || ask.policy.leaseMs === 0) this.#load(flight, ask)
        else void this.#queue(flight, ask)
      } catch (error) {
        this.#fail(flight, ask, error)
      }
    })
  }

  async #queue<T>(flight: Flight<T>, ask: Ask<T>): Promise<void> {
    try {
      const take = (envelope: Envelope): Entry<T> | undefined => this.#takeFor(flight, envelope, ask)
      this.#parts.advisor.asked(ask.policy, ask.at.monoMs)
      const turn = await takeTurn(this.#turns!, ask as Ask, take)
      if (turn.kind === 'taken') this.#land(flight, ask, turn.entry as Entry<T>, 'l2')
      else this.#load(flight, ask, turn.kind === 'owner' ? turn.owner : undefined)
    } catch (error) {
      this.#fail(flight, ask, error)
    }
  }

  #load<T>(flight: Flight<T>, ask: Ask<T>, owner?: string): void {
    this.#loaded(flight, ask, owner).then(
      (entry) => {
        this.#land(flight, ask, entry, 'load')
      },
      (error: unknown) => {
        this.#fail(flight, ask, error)
      },
    )
  }

  #land<T>(flight: Flight<T>, ask: Ask<T>, entry: Entry<T | undefined>, from: 'l2' | 'load'): void {
    this.#forget(flight, ask)
    flight.land({ entry, from, shared: false, footing: ask.footing })
  }

  #fail<T>(flight: Flight<T>, ask: Ask<T>, error: unknown): void {
    this.#forget(flight, ask)
    flight.fail(error)
  }

  #forget<T>(flight: Flight<T>, ask: Ask<T>): void {
    if (this.#flights.get(ask.key) === flight) this.#flights.delete(ask.key)
  }

  #takeFor<T>(flight: Flight<T>, envelope: Envelope, ask: Ask<T>): Entry<T> | undefined {
    flight.seen = envelope
    return this.take(envelope, ask)
  }

  async #loaded<T>(flight: Flight<T>, ask: Ask<T>, owner?: string): Promise<Entry<T | undefined>> {
    const { now, holdings, holds, counters, l2, advisor } = this.#parts
    try {
      const value = await ask.origin.load(ask.key, flight)
      const { directions, stamp, beganAt } = flight
      const revealed = value === undefined ? undefined : ask.reveal?.(value)
      const more = revealed === undefined ? directions.tags : [...directions.tags, ...revealed]
      const tags = more.length === 0 ? ask.tags : [...new Set([...ask.tags, ...more])]
      const loadCostMs = beganAt === undefined ? 0 : now().monoMs - beganAt.monoMs
      const { key, policy, standing } = ask
      const loaded = { key, value, stamp, tags, policy, standing, loadCostMs, directions, seen: flight.seen }
      holds.succeeded(key)
      if (flight.route === 'bypass') return this.#keepLittle(loaded)
      advisor.loaded(key, policy, loadCostMs)
      return holdings.keep(loaded, owner).entry
    } catch (error) {
      if (owner !== undefined) l2?.release(ask.key, owner)
      if (error instanceof CacheError && error.code === 'cache.overloaded') counters.overloaded++
      throw error
    }
  }

  /** Of a load that left L2 out: a graced value, or one to ask the origin about, is worth its memory, used or not. */
  #keepLittle<T>(loaded: Loaded<T>): Entry<T> {
    const { holdings, counters, advisor, isUnfit } = this.#parts
    const { key, policy, directions, loadCostMs } = loaded
    counters.bypassed++
    advisor.bypassed(key, policy, loadCostMs)
    const keepIn = policy.graceMs > 0 || directions.validator !== undefined ? 'l1' : 'nowhere'
    const { entry } = holdings.keep({ ...loaded, keepIn })
    if (keepIn === 'nowhere') holdings.drop(key, isUnfit)
    return entry
  }
}
