import type { Follower } from '@tidemark/tide'
import { isSameEpoch } from '@tidemark/tide'

import type { Events } from './events.js'

/** Tells when everything that was held has sunk at once: a new epoch, or a floor under all tags that has risen. */
export class HistoryWatch {
  readonly #follower: Follower
  readonly #events: Events
  #epoch: Follower['epoch']
  #base: number

  constructor(follower: Follower, events: Events) {
    this.#follower = follower
    this.#events = events
    this.#epoch = follower.epoch
    this.#base = follower.table.base
  }

  /** The follower has applied something. */
  stepped(): void {
    const { epoch, applied: position } = this.#follower
    const { base } = this.#follower.table
    if (epoch === undefined) return
    const isNew = this.#epoch !== undefined && !isSameEpoch(epoch, this.#epoch)
    const isFirst = this.#epoch === undefined
    if (isNew) this.#events.tell('adopted', { epoch, position })
    else if (base > this.#base && !isFirst) this.#events.tell('rebased', { base })
    this.#epoch = epoch
    this.#base = base
  }
}
