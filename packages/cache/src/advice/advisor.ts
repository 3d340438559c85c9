/**
 * What caching saves and what it costs, by kind of value, and what follows from it: what is bypassed.
 *
 * To bypass is to leave L2 out: no look-up, no lease, no store. The load is shared in the process as ever, and freshness
 * does not hang on any of it. What L1 would keep is kept only where it has a use beside being hit: within its grace, and
 * for a conditional request to the origin.
 *
 * - A load that costs more than `worthALease` calls of Redis is never bypassed. There the lease is worth its price even if
 *   no value is ever used again: those who wait for it take the value, sunk or not, that would else be loaded by each.
 * - Without L2 nothing is bypassed: a value in memory costs next to nothing to keep.
 * - Keys that are asked for together are looked up together, at the price of one, and are to be loaded together: among them
 *   no key is bypassed for itself; where their kind is, all go to the origin at once, and are probed at once.
 * - A value that was told (`set`, `put`) is no evidence: nobody chose to load it.
 *
 * A use is a hit in this process, or a value taken from L2. Calls that joined the load of a value are none, since they are
 * answered just the same when it is not stored.
 */

import type { Follower, Instant } from '@tidemark/tide'
import { isSameEpoch } from '@tidemark/tide'

import type { Entry } from '../entry.js'
import type { Events } from '../events/events.js'
import type { Freshness } from '../freshness.js'
import { Ghosts } from '../l1/ghosts.js'
import type { Envelope } from '../l2/envelope.js'
import type { Ask } from '../load/ask.js'
import type { Origin } from '../load/origin.js'
import type { Policy } from '../policy.js'
import { KeyBypass } from './key-bypass.js'
import { Kind, Kinds } from './kinds.js'
import { isProbeSlot } from './probe-slots.js'
import type { Route } from './route.js'
import { TagLedger } from './tag-ledger.js'

export interface AdvisorParts {
  readonly now: () => Instant
  readonly random: () => number
  readonly follower: Follower
  readonly freshness: Freshness
  readonly events: Events
  /** What a call of Redis takes of late; undefined: there is none. */
  readonly meanCallMs: (() => number) | undefined
  readonly maxKeys: number
}

/** A load that costs as many calls of Redis as this keeps its lease, whatever becomes of its value. */
const worthALease = 10

/** Keys that had to make room in L1, to know when they are taken from L2 again. */
const rememberedKeys = 4_096

export class Advisor {
  readonly kinds: Kinds
  readonly keys: KeyBypass
  readonly tags = new TagLedger()
  readonly #parts: AdvisorParts
  readonly #madeRoom = new Ghosts()
  /** Joined while they were loaded: so many of an entry's uses are none. */
  readonly #joins = new WeakMap<object, number>()
  /** Loaded and stored by this process: the others, taken from L2 or told, count as used whatever their uses. */
  readonly #loaded = new WeakSet<object>()
  readonly #routes = new WeakMap<object, Route>()

  constructor(parts: AdvisorParts) {
    this.#parts = parts
    this.kinds = new Kinds(() => parts.now().monoMs, parts.random)
    this.keys = new KeyBypass(parts.maxKeys, (key, kind, isBypassed) => {
      parts.events.tell('bypass', { key, kind, isBypassed })
    })
  }

  /** Which way the flight that is about to begin goes. */
  route<T>({ key, policy, origin, at }: Ask<T>): Route {
    if (this.#parts.meanCallMs === undefined || policy.bypass === 'never') return 'full'
    const kind = this.kinds.of(policy)
    if (kind.bypass.sinceMs !== undefined) return this.#routeOfKind(kind, origin as Origin<unknown>, at)
    if (origin.isShared === true || !this.keys.isBypassed(key)) return 'full'
    if (!this.#isCheap(this.keys.loadCostOf(key)) || this.keys.drawProbe(key)) return 'full'
    return isProbeSlot(key, at.wallMs) ? 'full' : 'bypass'
  }

  isBypassed(key: string, policy: Policy): boolean {
    if (this.#parts.meanCallMs === undefined || policy.bypass === 'never') return false
    return this.kinds.of(policy).bypass.sinceMs !== undefined || this.keys.isBypassed(key)
  }

  /** A call of Redis is made for `policy`'s kind. `atMs`: own monotonic clock. */
  asked(policy: Policy, atMs: number): void {
    const tally = this.kinds.of(policy).tallies.at(atMs)
    tally.redisCalls++
    tally.redisMs += this.#parts.meanCallMs?.() ?? 0
  }

  loaded(key: string, policy: Policy, loadCostMs: number): void {
    this.kinds.of(policy).loaded(loadCostMs)
    this.keys.loaded(key, loadCostMs)
  }

  /** Loaded past L2. */
  bypassed(key: string, policy: Policy, loadCostMs: number): void {
    this.loaded(key, policy, loadCostMs)
    this.kinds.of(policy).tally.bypassed++
  }

  /** `entry` is what a load gave, and is held. */
  kept(entry: Entry): void {
    this.#loaded.add(entry)
  }

  stored(policy: Policy, sizeBytes: number, encodeMs: number): void {
    const { tally } = this.kinds.of(policy)
    tally.stored++
    tally.storedBytes += sizeBytes
    tally.encodeMs += encodeMs
  }

  /** What L2 had in `seen` was loaded again, and became `payload`. */
  reloaded({ stamp, tags, payload: before }: Envelope, payload: Buffer): void {
    const { table, epoch } = this.#parts.follower
    if (epoch === undefined || !isSameEpoch(stamp.epoch, epoch)) return
    const sankIt = tags.filter((tag) => table.floorOf(tag) > stamp.tidemark)
    if (sankIt.length > 0) this.tags.sank(sankIt, before.equals(payload))
  }

  /** `entry` answers a call that joined its load. */
  joined(entry: Entry): void {
    this.#joins.set(entry, (this.#joins.get(entry) ?? 0) + 1)
    this.kinds.of(entry.policy).tally.joined++
  }

  /** `entry` was found in L2, and serves. */
  took(key: string, entry: Entry, atMs: number): void {
    const tally = this.kinds.of(entry.policy).tallies.at(atMs)
    tally.uses++
    tally.savedMs += entry.loadCostMs
    if (this.#madeRoom.take(key, rememberedKeys)) tally.refilled++
    this.keys.used(key)
  }

  unproven(policy: Policy, lagMs: number): void {
    const { tally } = this.kinds.of(policy)
    tally.unproven++
    tally.unprovenLagMs = Math.max(tally.unprovenLagMs, lagMs)
    tally.unprovenMaxLagMs = Math.max(tally.unprovenMaxLagMs, policy.maxLagMs)
  }

  /** L1 has let go of `entry` to make room. */
  evicted(key: string, entry: Entry): void {
    this.#madeRoom.add(key, rememberedKeys)
    this.#ended(key, entry, this.#parts.freshness.isAfloat(entry) ? 'evicted' : 'sunk')
  }

  /** L1 has let go of `entry` for what came after it. */
  ended(key: string, entry: Entry): void {
    const { freshness, now } = this.#parts
    const isSunk = !freshness.isAfloat(entry)
    this.#ended(key, entry, isSunk ? 'sunk' : now().wallMs >= entry.expiresAtMs ? 'expired' : 'renewed')
  }

  usesOf(entry: Entry): number {
    return Math.max(0, entry.uses - (this.#joins.get(entry) ?? 0))
  }

  #ended(key: string, entry: Entry, how: 'sunk' | 'expired' | 'evicted' | 'renewed'): void {
    const kind = this.kinds.of(entry.policy)
    const uses = this.usesOf(entry)
    const isUsed = uses > 0 || !this.#loaded.has(entry)
    kind.ended(how, isUsed, uses, entry.loadCostMs)
    if (isUsed) this.keys.used(key)
    else if (how === 'sunk') this.keys.sankUnused(key, entry.policy.kind, entry.loadCostMs)
    // What made room in L1 unused may be used from L2 yet, and what was renewed early was not done: no evidence.
    const isTold = isUsed || how === 'sunk' || how === 'expired'
    // A kind whose loads are dear is not bypassed, so it need not be said to be.
    const isOpen = kind.bypass.sinceMs !== undefined || this.#isCheap(kind.meanLoadMs)
    if (isTold && isOpen && kind.bypass.ended(isUsed, this.#parts.now().monoMs))
      this.#parts.events.tell('bypass', {
        kind: kind.name,
        key: undefined,
        isBypassed: kind.bypass.sinceMs !== undefined,
      })
  }

  #routeOfKind(kind: Kind, origin: Origin<unknown>, at: Instant): Route {
    const known = this.#routes.get(origin)
    if (known !== undefined) return known
    const isProbe = !this.#isCheap(kind.meanLoadMs) || kind.bypass.drawProbe()
    const route = isProbe || isProbeSlot(kind.name, at.wallMs) ? 'full' : 'bypass'
    if (origin.isShared === true) this.#routes.set(origin, route)
    return route
  }

  #isCheap(loadCostMs: number): boolean {
    const callMs = this.#parts.meanCallMs?.()
    return callMs !== undefined && loadCostMs <= worthALease * callMs
  }
}
