import type { Redis } from 'ioredis'

import type { Schedule } from '../schedule.js'

const redialPauseMs = 1_000

/**
 * Makes a client that goes by Sentinel ask again who the master is. It does so by itself when its connection breaks; but
 * a master that hangs breaks nothing, nor does one that was demoted without being told to drop its clients, nor one that
 * takes the connection and then says nothing.
 */
export class SentinelWatch {
  readonly #client: Redis
  readonly #schedule: Schedule
  #isWatching = false
  #hasJustRedialled = false

  constructor(client: Redis, schedule: Schedule) {
    this.#client = client
    this.#schedule = schedule
  }

  /** Drops the connection, so that the client looks for the master anew; paced. */
  redial(): void {
    if (this.#hasJustRedialled || this.#client.status !== 'ready') return
    this.#hasJustRedialled = true
    this.#schedule(redialPauseMs, () => {
      this.#hasJustRedialled = false
    })
    this.#client.disconnect(true)
  }

  /** The client is not ready: if it has been given a connection that leads nowhere, it is to take another. */
  watch(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    this.#schedule(redialPauseMs, () => {
      this.#isWatching = false
      if (this.#client.status === 'connect') this.#client.disconnect(true)
    })
  }
}
