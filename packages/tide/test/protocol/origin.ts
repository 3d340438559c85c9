/**
 * Postgres as the protocol sees it: rows that change, changes that get a position later than they commit, a log that is
 * cut at its old end, and a server that can lose the newest part of its history, which the next `sequence()` notices.
 */
import type { Epoch, Step } from '../../src/index.js'
import type { Random } from './random.js'

export const products = [0, 1, 2, 3, 4, 5]
export const categories = [0, 1, 2]

export interface Commit {
  readonly tags: readonly string[]
  readonly tick: number
  readonly atMs: number
  /** Where it stands in the log, by term: a position that was lost stands only in the terms up to `lastTerm`. */
  readonly positions: { readonly term: number; readonly position: number; lastTerm: number }[]
  lost: { readonly tick: number; readonly lastTerm: number } | undefined
}

interface Row {
  readonly step: Step
  readonly tick: number
}

export interface LogView {
  readonly epoch: Epoch
  readonly head: number
  readonly rows: readonly Step[]
}

export class Origin {
  epoch: Epoch
  /** History was lost and nobody has sequenced since. */
  hasLost = false
  readonly commits: Commit[] = []
  readonly #random: Random
  #rows: Row[] = []
  #head: Step

  constructor(random: Random) {
    this.#random = random
    this.epoch = { term: 1, nonce: random.mark() }
    this.#head = { epoch: this.epoch, position: 0, mark: 0, previousMark: 0, tags: [] }
  }

  commit(tick: number, atMs: number): void {
    const random = this.#random
    const [from, to] = [random.pick(categories), random.pick(categories)]
    const change = [
      `product:${random.pick(products)}`,
      'product',
      `product.categoryId=${from}`,
      `product.categoryId=${to}`,
    ]
    const tags = random.chance(0.04) ? ['*'] : random.chance(0.06) ? ['product!all'] : change
    this.commits.push({ tags, tick, atMs, positions: [], lost: undefined })
  }

  /** One run: the visible changes, or some of them, get the next position. True: all of them have one now. */
  sequence(tick: number): boolean {
    if (this.hasLost) {
      this.hasLost = false
      this.epoch = { term: this.epoch.term + 1, nonce: this.#random.mark() }
      this.#append([], tick)
    }
    const waiting = this.commits.filter((commit) => !commit.lost && !hasPosition(commit, this.epoch.term))
    if (waiting.length === 0) return true
    const isWhole = this.#random.chance(0.8)
    const taken = isWhole ? waiting : waiting.filter(() => this.#random.chance(0.5))
    if (taken.length === 0) return false
    this.#append([...new Set(taken.flatMap((commit) => commit.tags))], tick)
    const at = { term: this.epoch.term, position: this.#head.position }
    for (const commit of taken) commit.positions.push({ ...at, lastTerm: Infinity })
    return isWhole
  }

  view(): LogView {
    return { epoch: this.epoch, head: this.#head.position, rows: this.#rows.map((row) => row.step) }
  }

  trim(): void {
    this.#rows = this.#rows.slice(-this.#random.integer(1, 6))
  }

  /** A crash, or a standby that was behind: what happened after `sinceTick` never happened. */
  lose(sinceTick: number, tick: number): void {
    const { term } = this.epoch
    const kept = this.#rows.filter((row) => row.tick < sinceTick)
    const last = kept.at(-1)
    if (last === undefined || last.step.epoch.term !== term) return
    this.#rows = kept
    this.#head = last.step
    this.hasLost = true
    for (const commit of this.commits) {
      if (commit.tick >= sinceTick) commit.lost ??= { tick, lastTerm: term }
      for (const place of commit.positions)
        if (place.position > last.step.position) place.lastTerm = Math.min(place.lastTerm, term)
    }
  }

  #append(tags: string[], tick: number): void {
    const { position, mark } = this.#head
    this.#head = {
      epoch: this.epoch,
      position: position + 1,
      mark: this.#random.mark(),
      previousMark: mark,
      tags,
    }
    this.#rows.push({ step: this.#head, tick })
  }
}

const hasPosition = (commit: Commit, term: number): boolean => positionIn(commit, term) !== undefined

/** Where the history of `term` has this commit; undefined: without a position, or not in it. */
export const positionIn = (commit: Commit, term: number): number | undefined =>
  commit.positions.find((place) => place.term <= term && term <= place.lastTerm)?.position
