import type { Policy } from '../policy.js'
import { KindBypass } from './kind-bypass.js'
import type { Tally } from './tally.js'
import { Tallies } from './tally.js'

const maxKinds = 64
const others = '(others)'

/** How much the latest load weighs in the mean. */
const weight = 1 / 16

/** What is known of one kind of value. */
export class Kind {
  readonly name: string
  readonly tallies: Tallies
  readonly bypass: KindBypass
  /** What a load takes of late. */
  meanLoadMs = 0
  readonly #nowMs: () => number
  #hasLoaded = false

  constructor(name: string, nowMs: () => number, random: () => number) {
    this.bypass = new KindBypass(random)
    this.name = name
    this.tallies = new Tallies(nowMs())
    this.#nowMs = nowMs
  }

  get tally(): Tally {
    return this.tallies.at(this.#nowMs())
  }

  loaded(loadCostMs: number): void {
    const { tally } = this
    tally.loads++
    tally.loadMs += loadCostMs
    this.meanLoadMs = this.#hasLoaded ? this.meanLoadMs + (loadCostMs - this.meanLoadMs) * weight : loadCostMs
    this.#hasLoaded = true
  }

  /** `uses`: in this process, of L1. */
  ended(
    how: 'sunk' | 'expired' | 'evicted' | 'renewed',
    isUsed: boolean,
    uses: number,
    loadCostMs: number,
  ): void {
    const { tally } = this
    tally.ended++
    tally.uses += uses
    tally.savedMs += uses * loadCostMs
    if (how !== 'renewed') tally[how]++
    if (isUsed) return
    tally.endedUnused++
    if (how === 'sunk') tally.sunkUnused++
  }
}

/** The kinds of one namespace, by name. Bounded: those past the bound are one. */
export class Kinds {
  readonly #nowMs: () => number
  readonly #random: () => number
  readonly #kinds = new Map<string, Kind>()
  #latest: Kind | undefined

  constructor(nowMs: () => number, random: () => number) {
    this.#nowMs = nowMs
    this.#random = random
  }

  of({ kind: name }: Pick<Policy, 'kind'>): Kind {
    // Most often it is the one of the call before.
    if (this.#latest?.name === name) return this.#latest
    this.#latest = this.#kinds.get(name) ?? this.#make(name)
    return this.#latest
  }

  #make(name: string): Kind {
    const isOver = this.#kinds.size >= maxKinds && name !== others
    if (isOver) return this.#kinds.get(others) ?? this.#make(others)
    const kind = new Kind(name, this.#nowMs, this.#random)
    this.#kinds.set(name, kind)
    return kind
  }

  get all(): Iterable<Kind> {
    return this.#kinds.values()
  }
}
