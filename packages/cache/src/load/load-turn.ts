import type { Stamp } from '@tidemark/tide'

import type { BatchContext } from '../request.js'

/** One question to the origin. Its signal is made when it is first asked for: few loaders do, and it costs microseconds. */
export class LoadTurn implements BatchContext {
  readonly stamp: Stamp | undefined
  #controller: AbortController | undefined
  #reason: Error | undefined

  constructor(stamp: Stamp | undefined) {
    this.stamp = stamp
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}
