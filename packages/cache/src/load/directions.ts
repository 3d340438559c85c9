import { CacheError } from '../cache-error.js'
import type { Duration } from '../duration.js'
import { durationMs, keptMs } from '../duration.js'
import type { BatchContext, LoadContext, Previous } from '../request.js'

/** What a loader said of its value beside giving it. */
export interface Directions {
  readonly isSkipped: boolean
  readonly ttlMs: number | undefined
  readonly tags: readonly string[]
  readonly validator: string | undefined
}

export const noDirections: Directions = { isSkipped: false, ttlMs: undefined, tags: [], validator: undefined }

/** What is held and may not be served, with all that it depends on. */
export interface HeldBefore extends Previous<unknown> {
  readonly tags: readonly string[]
}

const maxValidatorLength = 1_024

/** The context of one load; what the loader says is noted on it, and read when the load has ended. */
export class DirectedLoad implements LoadContext, Directions {
  readonly stamp: LoadContext['stamp']
  isSkipped = false
  ttlMs: number | undefined
  tags: readonly string[] = []
  validator: string | undefined
  readonly #turn: BatchContext
  readonly #findPrevious: () => HeldBefore | undefined
  #previous: HeldBefore | undefined
  #hasLooked = false
  #hasSaidTags = false

  constructor(turn: BatchContext, findPrevious: () => HeldBefore | undefined) {
    this.stamp = turn.stamp
    this.#turn = turn
    this.#findPrevious = findPrevious
  }

  get signal(): AbortSignal {
    return this.#turn.signal
  }

  previous<T>(): Previous<T> | undefined {
    // What was shown once is what the origin is asked about, and what `notModified` means, whatever is held by then.
    if (!this.#hasLooked) this.#previous = this.#findPrevious()
    this.#hasLooked = true
    return this.#previous as Previous<T> | undefined
  }

  notModified(): never {
    this.previous()
    const previous = this.#previous
    if (previous === undefined) this.fail('notModified: there is no previous value')
    this.validator ??= previous.validator
    // It is the same value, so it depends on what it depended on: this load has not read what would reveal that.
    if (!this.#hasSaidTags) this.tags = previous.tags
    return previous.value as never
  }

  skip<T>(value: T): T {
    this.isSkipped = true
    return value
  }

  fail(reason: string): never {
    throw new CacheError('cache.load-failed', reason)
  }

  setTtl(ttl: Duration | 'afloat'): void {
    this.ttlMs = keptMs(durationMs(ttl === 'afloat' ? Infinity : ttl, 'setTtl'))
  }

  setTags(tags: readonly string[]): void {
    this.tags = tags
    this.#hasSaidTags = true
  }

  setValidator(validator: string): void {
    if (validator.length > maxValidatorLength)
      throw new CacheError(
        'cache.bad-option',
        `setValidator: ${validator.length} characters, at most ${maxValidatorLength} are kept`,
      )
    this.validator = validator
  }
}
