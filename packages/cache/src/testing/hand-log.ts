import type { Instant, Token } from '@tidemark/tide'
import { Follower, TideTable } from '@tidemark/tide'

import type { Reach, Tide } from '../tide.js'

export interface HandLogOptions {
  /** Of the first epoch. Default 1. */
  readonly term?: number
  /** Of the first epoch. Default 77. */
  readonly nonce?: number
  /** Of the tide table's hash. Default 1. */
  readonly seed?: number
}

/**
 * A change log, a follower of it and a clock, all driven by hand: for tests of what your code does while values are
 * fresh, sunk, out of their ttl or unproven. The follower is the real one; only what feeds it is yours. Nothing happens
 * unless the test says so: time stands still, and a change that was written is not heard of until it is told.
 *
 * @example
 *   const log = handLog()
 *   const cache = createCache({ follow: log, namespace: 'products' })
 *   log.change('product:42')   // committed, and this process has heard of it: what carries the tag has sunk
 *   log.pass(60_000)           // a minute later, with nothing heard since: the follower is blind
 *   log.hear()                 // it holds everything up to now again
 */
export class HandLog implements Tide {
  /** Real; adrift until `follow`. */
  readonly follower: Follower
  /** What was committed, in order: the change at position p is `log[p - 1]`. */
  readonly log: { readonly tags: readonly string[] }[] = []
  /** This process's clocks, in ms; they stand still unless the test moves them. */
  monoMs = 1_000
  wallMs = 1_700_000_000_000
  /** Whether the log can be asked (`head`, `reach`, `invalidate`). */
  isReachable = true
  /** How often `head` was asked for. */
  headCalls = 0
  /** Set: the log asked is that of a deposed primary, which goes on in the history it knows. */
  deposedHead: Token | undefined
  readonly #listeners = new Set<() => void>()
  #term: number
  #nonce: number

  constructor({ term = 1, nonce = 77, seed = 1 }: HandLogOptions = {}) {
    this.#term = term
    this.#nonce = nonce
    this.follower = new Follower(new TideTable({ buckets: 1024, seed }))
  }

  /** Follows from the log's head as it is, and shows that it holds it. */
  follow(): this {
    this.follower.begin(this.#epoch, { position: this.log.length, mark: this.#markOf(this.log.length) })
    this.prove()
    return this
  }

  /** A change is committed and has its position; this process has not heard of it. */
  write(...tags: string[]): Token {
    this.log.push({ tags })
    return { term: this.#term, position: this.log.length }
  }

  /** The follower applies what was written, and shows that it holds everything up to now. */
  hear(): void {
    this.applyUpTo(this.log.length)
    this.prove()
  }

  /** A change is committed and heard of: `write`, then `hear`. */
  change(...tags: string[]): Token {
    const token = this.write(...tags)
    this.hear()
    return token
  }

  /** An invalidation by the cache or by your code: written, and heard of as any other change. */
  readonly invalidate = (tags: readonly string[]): Promise<Token> =>
    this.isReachable ? Promise.resolve(this.write(...tags)) : Promise.reject(cannotBeAsked())

  /** The follower applies what was written up to `position`, and shows nothing about its lag. */
  applyUpTo(position: number): void {
    for (let p = this.follower.applied + 1; p <= position; p++) this.#apply(p)
    for (const listener of this.#listeners) listener()
  }

  /** Calls `listener` after changes were applied, until the function that it gives is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Everything that was heard of is delivered once more, last one first. It says nothing new, and must do no harm. */
  redeliver(): void {
    for (let p = this.follower.applied; p > 0; p--) this.#apply(p)
  }

  /** Steps up to the head (one at least) are lost; the next one shows it, and the follower rebases: what is held has sunk. */
  loseUpToHead(): void {
    if (this.log.length === this.follower.applied) this.write('lost')
    const lost = this.write('after-the-gap')
    this.follower.apply({
      epoch: this.#epoch,
      position: lost.position,
      mark: this.#markOf(lost.position),
      previousMark: this.#markOf(lost.position - 1),
      tags: [],
    })
    this.prove()
  }

  /** The follower shows that what it has applied is all there is: its lag is 0 now. */
  prove(): void {
    if (this.follower.epoch !== undefined) this.follower.prove(this.#epoch, this.follower.applied, this.now())
  }

  /** A new history begins after the last `lost` positions were lost, and the follower adopts it. */
  newEpoch({ lost = 0 } = {}): void {
    this.#term++
    this.#nonce += 1_000
    this.log.length -= lost
    this.log.push({ tags: [] })
    const position = this.log.length
    this.follower.hear({
      epoch: this.#epoch,
      link: { position, mark: this.#markOf(position) },
      generation: 0,
      count: 0,
    })
    this.prove()
  }

  /** Time passes on both clocks, and the follower hears nothing meanwhile. */
  pass(ms: number): void {
    this.monoMs += ms
    this.wallMs += ms
  }

  readonly now = (): Instant => ({ monoMs: this.monoMs, wallMs: this.wallMs })

  readonly reach = (token: Token): Promise<Reach> => {
    if (!this.isReachable) return Promise.resolve('unreachable')
    if (token.term < this.#term) return Promise.resolve('history-lost')
    if (token.term > this.#term || token.position > this.log.length) return Promise.resolve('beyond-log')
    this.applyUpTo(token.position)
    return Promise.resolve('reached')
  }

  readonly head = (): Promise<Token> => {
    this.headCalls++
    if (!this.isReachable) return Promise.reject(cannotBeAsked())
    return Promise.resolve(this.deposedHead ?? { term: this.#term, position: this.log.length })
  }

  #apply(position: number): void {
    this.follower.apply({
      epoch: this.#epoch,
      position,
      mark: this.#markOf(position),
      previousMark: this.#markOf(position - 1),
      tags: this.log[position - 1]!.tags,
    })
  }

  get #epoch() {
    return { term: this.#term, nonce: this.#nonce }
  }

  #markOf(position: number): number {
    return this.#term * 1_000_000 + position
  }
}

const cannotBeAsked = (): Error => new Error('the log cannot be asked')

/** A log by hand whose follower follows from its head and is proven. `new HandLog()` is adrift: it follows nothing yet. */
export function handLog(options?: HandLogOptions): HandLog {
  return new HandLog(options).follow()
}
