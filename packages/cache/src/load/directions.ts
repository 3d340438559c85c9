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

const maxValidatorLength = 1_024

/** The context of one load; what the loader says is noted on it, and read when the load has ended. */
export class DirectedLoad implements LoadContext, Directions {
  readonly stamp: LoadContext['stamp']
  isSkipped = false
  ttlMs: number | undefined
  tags: readonly string[] = []
  validator: string | undefined
  readonly #turn: BatchContext
  readonly #findPrevious: () => Previous<unknown> | undefined

  constructor(turn: BatchContext, findPrevious: () => Previous<unknown> | undefined) {
    this.stamp = turn.stamp
    this.#turn = turn
    this.#findPrevious = findPrevious
  }

  get signal(): AbortSignal {
    return this.#turn.signal
  }

  previous<T>(): Previous<T> | undefined {
    return this.#findPrevious() as Previous<T> | undefined
  }

  notModified(): never {
    const previous = this.#findPrevious()
    if (previous === undefined) this.fail('notModified: there is no previous value')
    this.validator ??= previous.validator
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
