import type { Instant, Stamp } from '@tidemark/tide'

import type { Entry } from '../entry.js'
import type { Envelope } from '../l2/envelope.js'
import type { Directions } from './directions.js'
import { noDirections } from './directions.js'
import type { Running } from './running.js'

export interface Outcome<T = unknown> {
  /** Its value is undefined where the loader gave none; then it is stored nowhere. */
  readonly entry: Entry<T | undefined>
  readonly from: 'l2' | 'load'
}

/**
 * One look-up of one key under way: L2, then the lease, then the origin. It begins once, when the origin is asked: from
 * then on whoever wants to join must show that its stamp will do.
 */
export class Flight<T = unknown> implements Running {
  readonly deadlineMs: number
  readonly isSureToLoad: boolean
  joiners = 0
  outcome: Promise<Outcome<T>> | undefined
  /** What L2 held and would not do: the loader may ask for it. */
  seen: Envelope | undefined
  /** What the loader says beside the value. */
  directions: Directions = noDirections
  #beganAt: Instant | undefined
  #stamp: Stamp | undefined

  constructor(deadlineMs: number, isSureToLoad: boolean) {
    this.deadlineMs = deadlineMs
    this.isSureToLoad = isSureToLoad
  }

  get beganAt(): Instant | undefined {
    return this.#beganAt
  }

  get stamp(): Stamp | undefined {
    return this.#stamp
  }

  /** To be called before the first byte goes to the origin. */
  begin(at: Instant, stamp: Stamp | undefined): void {
    if (this.#beganAt !== undefined) throw new Error('a flight begins once')
    this.#beganAt = at
    this.#stamp = stamp
  }
}
