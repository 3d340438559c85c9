/**
 * Stores whose bytes are made in the thread pool, where a small value is done before a large one. Values with one stamp are
 * told apart by their order alone (two puts that travelled as one change), and Redis sees the order in which they come: so
 * one that was overtaken, while its bytes were made, by a store that is no older is not sent any more.
 */

import type { Stamp } from '@tidemark/tide'

interface Making {
  readonly stamp: Stamp
  isOvertaken: boolean
}

export class Overtaking {
  readonly #makings = new Map<string, Making>()

  /** A store of `key` is called for: whatever is being made for it and is not newer is overtaken. */
  called(key: string, stamp: Stamp): void {
    const making = this.#makings.get(key)
    if (making !== undefined && isNotOlder(stamp, making.stamp)) making.isOvertaken = true
  }

  /** What `bytes` gives, and whether it was overtaken until then. */
  async made<T>(key: string, stamp: Stamp, bytes: Promise<T>): Promise<{ bytes: T; isOvertaken: boolean }> {
    const making: Making = { stamp, isOvertaken: false }
    const before = this.#makings.get(key)
    // An older one needs no watch beside a newer one: where it comes late, the store script refuses it.
    const isWatched = before === undefined || isNotOlder(stamp, before.stamp)
    if (isWatched) this.#makings.set(key, making)
    try {
      const made = await bytes
      return { bytes: made, isOvertaken: making.isOvertaken }
    } finally {
      if (this.#makings.get(key) === making) this.#makings.delete(key)
    }
  }
}

const isNotOlder = ({ epoch, tidemark }: Stamp, than: Stamp): boolean =>
  epoch.term === than.epoch.term ? tidemark >= than.tidemark : epoch.term > than.epoch.term
