import type { Instant, Token } from '@tidemark/tide'
import { Follower, TideTable } from '@tidemark/tide'

import type { Reach, Tide } from '../src/tide.js'

/**
 * A real follower, driven by hand: the test is the log, the stream and the clock. `write` is a committed change that this
 * process has not heard of yet; `hear` lets it apply everything up to the log's head.
 */
export class HandTide implements Tide {
  readonly follower: Follower
  readonly log: { tags: readonly string[] }[] = []
  /** Own clocks, in ms; they stand still unless the test moves them. */
  monoMs = 1_000
  wallMs = 1_700_000_000_000
  /** Whether the log can be asked (`head`, `reach`). */
  isReachable = true
  headCalls = 0
  /** Set: the log asked is that of a deposed primary, which goes on in the history it knows. */
  deposedHead: Token | undefined
  readonly #listeners = new Set<() => void>()
  #term: number
  #nonce: number

  constructor({ term = 1, nonce = 77, seed = 1 } = {}) {
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

  /** A change is committed and sequenced; nobody here has heard of it. */
  write(...tags: string[]): Token {
    this.log.push({ tags })
    return { term: this.#term, position: this.log.length }
  }

  /** The follower applies what was written, and shows that it holds everything up to now. */
  hear(): void {
    this.applyUpTo(this.log.length)
    this.prove()
  }

  /** Announced by this process; it hears of it as of everything. */
  invalidate(tags: readonly string[]): Promise<Token> {
    return Promise.resolve(this.write(...tags))
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A change is committed, sequenced and heard of. */
  change(...tags: string[]): Token {
    const token = this.write(...tags)
    this.hear()
    return token
  }

  applyUpTo(position: number): void {
    for (let p = this.follower.applied + 1; p <= position; p++)
      this.follower.apply({
        epoch: this.#epoch,
        position: p,
        mark: this.#markOf(p),
        previousMark: this.#markOf(p - 1),
        tags: this.log[p - 1]!.tags,
      })
    for (const listener of this.#listeners) listener()
  }

  /** Steps up to the head are lost; the next one shows it. */
  loseUpToHead(): void {
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

  /** Time passes on both clocks. */
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
    if (!this.isReachable) return Promise.reject(new Error('the log cannot be asked'))
    return Promise.resolve(this.deposedHead ?? { term: this.#term, position: this.log.length })
  }

  get #epoch() {
    return { term: this.#term, nonce: this.#nonce }
  }

  #markOf(position: number): number {
    return this.#term * 1_000_000 + position
  }
}

/** A promise and its handles: a load that the test ends when it likes. */
export function gateway<T>(): {
  promise: Promise<T>
  open: (value: T) => void
  fail: (error: Error) => void
} {
  let open!: (value: T) => void
  let fail!: (error: Error) => void
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { promise, open, fail }
}

/** Lets everything that can go on without time or I/O go on. */
export async function settle(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
}
