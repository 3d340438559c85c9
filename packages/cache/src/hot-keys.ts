import type { Entry } from './entry.js'
import type { Freshness } from './freshness.js'
import type { L1 } from './l1/l1.js'
import type { Question } from './load/ask.js'

export interface HotKeysParts {
  readonly l1: L1
  readonly freshness: Freshness
  readonly refresh: (question: Question<unknown>) => void
  readonly maxKeys: number
  /** Steps come in runs: one look after each run. */
  readonly defer?: (run: () => void) => void
}

/** Uses of a value between its load and its end that make its key worth a load nobody has asked for yet. */
const usesToBeHot = 4

/**
 * Keys of which callers use what is held, with the way to load it. When one of them sinks it is loaded at once; when one sinks
 * hardly used it is forgotten. Bounded: the key that was found hot longest ago makes room.
 */
export class HotKeys {
  readonly #parts: HotKeysParts
  readonly #questions = new Map<string, Question<unknown>>()
  readonly #defer: (run: () => void) => void
  #isDeferred = false

  constructor(parts: HotKeysParts) {
    this.#parts = parts
    this.#defer = parts.defer ?? setImmediate
  }

  get size(): number {
    return this.#questions.size
  }

  /** A call found `entry` sunk and is about to load it. */
  sunk({ uses }: Entry, question: Question<unknown>): void {
    if (!question.policy.refreshOnSink || uses < usesToBeHot) return
    const { key } = question
    this.#questions.delete(key)
    this.#questions.set(key, question)
    if (this.#questions.size > this.#parts.maxKeys)
      this.#questions.delete(this.#questions.keys().next().value!)
  }

  /** The follower has applied something. */
  stepped(): void {
    if (this.#isDeferred || this.#questions.size === 0) return
    this.#isDeferred = true
    this.#defer(() => {
      this.#isDeferred = false
      this.#look()
    })
  }

  clear(): void {
    this.#questions.clear()
  }

  #look(): void {
    const { l1, freshness, refresh } = this.#parts
    for (const [key, question] of this.#questions) {
      const entry = l1.peek(key)
      if (entry !== undefined && freshness.isAfloat(entry)) continue
      if (entry === undefined || entry.uses < usesToBeHot) this.#questions.delete(key)
      else refresh(question)
    }
  }
}
