/**
 * The follower state machine.
 *
 * A follower is *adrift* until it holds a link (nothing is afloat for it), then *following*. It never goes back.
 *
 * - A step that continues its link is applied: the floors of its tags rise to the step's position.
 * - A step at or below its position says nothing new and is ignored: delivery twice or late does no harm.
 * - A step that does not continue its link means that something was missed: it rebases, `base` = that position.
 *   Its own position under another mark is worse, two histories in one epoch, which epochs are there to prevent: values
 *   stamped at that position may be of either, so `base` lies one above it.
 * - A step of a higher term is another history: it adopts it, `base` = that position, and discards its proof of lag.
 * - A step of a lower term, or of another history of the same term, is ignored.
 *
 * Invariant: for a follower at position r, every change in (a, r] that touched a tag has raised that tag's floor, or
 * `base`, above a. So a value stamped a that is afloat equals the origin as of r or newer.
 *
 * Whether r itself is recent is a second question, answered by `lagMs`; the two are never mixed.
 */

import type { Ask, Instant } from './lag.js'
import { LagProof } from './lag.js'
import type { TagPlaces } from './places.js'
import type { Epoch, Link, Stamp, Step } from './position.js'
import { isSameEpoch, isSameLink } from './position.js'
import { everything } from './tag.js'
import type { TideTable, TideTableSnapshot } from './tide-table.js'
import type { Token } from './token.js'

export type Outcome =
  | 'applied' // it continued the link
  | 'repeated' // nothing new in it
  | 'rebased' // something was missed: everything held before has sunk
  | 'adopted' // a new epoch: everything held before has sunk
  | 'ignored' // a history that this follower does not follow

/** A heartbeat: "the log's head was `link` after a flush that had first read `count` from the counter". */
export interface Beat {
  readonly epoch: Epoch
  readonly link: Link
  readonly generation: number
  readonly count: number
}

/** What a checkpoint holds: enough to go on following without sinking what others stored. */
export interface FollowerSnapshot {
  readonly epoch: Epoch
  readonly link: Link
  readonly table: TideTableSnapshot
}

export type Verdict = 'afloat' | 'sunk' | 'unproven'

export class Follower {
  /** To locate tags in and to read floors from; only the follower itself raises them, since a verdict is kept by revision. */
  readonly table: TideTable
  #epoch: Epoch | undefined
  #link: Link = { position: 0, mark: 0 }
  #revision = 0
  /** One object for all loads that begin at one position: each value keeps its stamp. */
  #stamp: Stamp | undefined
  readonly #proof = new LagProof()

  constructor(table: TideTable) {
    this.table = table
  }

  /** The history followed; undefined while adrift. */
  get epoch(): Epoch | undefined {
    return this.#epoch
  }

  get link(): Link {
    return this.#link
  }

  /** The last position applied. */
  get applied(): number {
    return this.#link.position
  }

  /** Changes whenever a verdict may change, and never takes an earlier value: what was afloat at this revision still is. */
  get revision(): number {
    return this.#revision
  }

  /** What this follower can promise to clients; undefined while adrift. */
  get token(): Token | undefined {
    return this.#epoch && { term: this.#epoch.term, position: this.#link.position }
  }

  /** The stamp for a load that begins now: take it *before* the origin is asked. Undefined while adrift: do not store. */
  stamp(): Stamp | undefined {
    return (this.#stamp ??= this.#epoch && { epoch: this.#epoch, tidemark: this.#link.position })
  }

  apply(step: Step): Outcome {
    if (this.#epoch === undefined) return this.#begin(step.epoch, step, 'rebased')
    if (step.epoch.term > this.#epoch.term) return this.#begin(step.epoch, step, 'adopted')
    if (!isSameEpoch(step.epoch, this.#epoch)) return 'ignored'
    if (step.position < this.applied) return 'repeated'
    if (step.position === this.applied) return isSameLink(step, this.#link) ? 'repeated' : this.#rebase(step)
    if (step.position !== this.applied + 1 || step.previousMark !== this.#link.mark) return this.#rebase(step)
    for (const tag of step.tags) {
      if (tag === everything) this.table.raiseBase(step.position)
      else this.table.raise(tag, step.position)
    }
    this.#moveTo(step)
    return 'applied'
  }

  /** Reads a heartbeat: proof of lag where it answers an ask, and a gap where its link is not this follower's. */
  hear(beat: Beat): Outcome {
    if (this.#epoch === undefined) return this.#begin(beat.epoch, beat.link, 'rebased')
    if (beat.epoch.term > this.#epoch.term) return this.#begin(beat.epoch, beat.link, 'adopted')
    if (!isSameEpoch(beat.epoch, this.#epoch)) return 'ignored'
    const continues = beat.link.position < this.applied || isSameLink(beat.link, this.#link)
    const outcome = continues ? 'repeated' : this.#rebase(beat.link)
    this.#proof.answer(beat.generation, beat.count)
    return outcome
  }

  /** Begins at `link` knowing nothing of what came before: `base` = its position. */
  begin(epoch: Epoch, link: Link): Outcome {
    if (this.#epoch !== undefined) return this.hear({ epoch, link, generation: -1, count: -1 })
    return this.#begin(epoch, link, 'rebased')
  }

  ask(ask: Ask): void {
    this.#proof.ask(ask)
  }

  voidAsks(): void {
    this.#proof.voidAsks()
  }

  /**
   * Everything committed before `at` has a position at or below `position`: proof, if this follower has applied it. The
   * head of a `sequence()` begun after `at` says so; the log's head alone does not, for commits that wait in the outbox.
   */
  prove(epoch: Epoch, position: number, at: Instant): boolean {
    if (this.#epoch === undefined || !isSameEpoch(epoch, this.#epoch) || position > this.applied) return false
    this.#proof.prove(at)
    return true
  }

  /** This follower holds everything committed before this instant of its own clock. */
  get provenAt(): Instant | undefined {
    return this.#proof.provenAt
  }

  lagMs(now: Instant): number {
    return this.#proof.lagMs(now)
  }

  /** Arithmetic in memory: no round trip. The caller asks for the lag beside it. */
  isAfloat(stamp: Stamp, places: TagPlaces): boolean {
    if (this.#epoch === undefined || !isSameEpoch(stamp.epoch, this.#epoch)) return false
    return stamp.tidemark >= this.table.floorAt(places)
  }

  verdict(stamp: Stamp, places: TagPlaces, maxLagMs: number, now: Instant): Verdict {
    if (!this.isAfloat(stamp, places)) return 'sunk'
    return this.lagMs(now) <= maxLagMs ? 'afloat' : 'unproven'
  }

  /** Undefined while adrift. */
  snapshot(): FollowerSnapshot | undefined {
    return this.#epoch && { epoch: this.#epoch, link: this.#link, table: this.table.snapshot() }
  }

  /** Goes on from a snapshot; only while adrift, since it replaces the table's seed. False: refused, nothing changed. */
  restore(snapshot: FollowerSnapshot): boolean {
    if (this.#epoch !== undefined || snapshot.table.base > snapshot.link.position + 1) return false
    if (!this.table.restore(snapshot.table)) return false
    this.#epoch = snapshot.epoch
    this.#moveTo(snapshot.link)
    return true
  }

  #begin(epoch: Epoch, link: Link, outcome: 'rebased' | 'adopted'): Outcome {
    this.#epoch = epoch
    this.#proof.discard()
    this.table.restart(link.position)
    this.#moveTo(link)
    return outcome
  }

  #rebase(link: Link): Outcome {
    this.table.raiseBase(link.position === this.applied ? link.position + 1 : link.position)
    this.#moveTo(link)
    return 'rebased'
  }

  #moveTo({ position, mark }: Link): void {
    this.#link = { position, mark }
    this.#stamp = undefined
    this.#revision++
  }
}
