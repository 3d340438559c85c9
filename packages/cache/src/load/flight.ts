import type { Instant, Stamp } from '@tidemark/tide'

import type { Route } from '../advice/route.js'
import type { Found } from '../found.js'
import type { Envelope } from '../l2/envelope.js'
import type { Directions } from './directions.js'
import { noDirections } from './directions.js'
import type { Running } from './running.js'

/**
 * One look-up of one key under way: L2, then the lease, then the origin. It begins once, when the origin is asked: from
 * then on whoever wants to join must show that its stamp will do.
 */
export class Flight<T = unknown> implements Running {
  readonly deadlineMs: number
  readonly isSureToLoad: boolean
  readonly kind: string
  /** Past L2, or all the way. */
  route: Route = 'full'
  joiners = 0
  /** As whoever launched it sees it. Undefined once it has ended: see `PassingMap` for what would hold on to it. */
  outcome: Promise<Found<T>> | undefined
  /** What L2 held and would not do: the loader may ask for it. */
  seen: Envelope | undefined
  /** What the loader says beside the value. */
  directions: Directions = noDirections
  #resolve: ((found: Found<unknown>) => void) | undefined
  #reject: ((error: unknown) => void) | undefined
  #beganAt: Instant | undefined
  #stamp: Stamp | undefined

  constructor(deadlineMs: number, isSureToLoad: boolean, kind: string) {
    this.deadlineMs = deadlineMs
    this.isSureToLoad = isSureToLoad
    this.kind = kind
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve as (found: Found<unknown>) => void
      this.#reject = reject
    })
  }

  get beganAt(): Instant | undefined {
    return this.#beganAt
  }

  get stamp(): Stamp | undefined {
    return this.#stamp
  }

  land(found: Found<T>): void {
    const resolve = this.#resolve
    this.#letGo()
    resolve?.(found)
  }

  fail(error: unknown): void {
    const reject = this.#reject
    this.#letGo()
    reject?.(error)
  }

  /** To be called before the first byte goes to the origin. */
  begin(at: Instant, stamp: Stamp | undefined): void {
    if (this.#beganAt !== undefined) throw new Error('a flight begins once')
    this.#beganAt = at
    this.#stamp = stamp
  }

  #letGo(): void {
    this.outcome = undefined
    this.seen = undefined
    this.directions = noDirections
    this.#resolve = undefined
    this.#reject = undefined
  }
}
