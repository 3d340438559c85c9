/** Subscribers of the change feed, each at a reader of its own: what they hear goes into the ledger. */
import { follow } from '@tidemark/client'
import type { ToldLedger } from './told-ledger.js'

export interface Subscribers {
  /** Times that a subscriber was told that history is gone: after that it may have missed changes. */
  readonly resets: number
  readonly ended: Promise<void>
}

export function subscribe(urls: readonly string[], ledger: ToldLedger, signal: AbortSignal): Subscribers {
  let resets = 0
  const listen = async (url: string, subscriber: number): Promise<void> => {
    for await (const event of follow({ url, resources: ['product'], signal })) {
      if (event.kind === 'reset') resets++
      if (event.kind !== 'change' || event.key === null || event.version === null) continue
      ledger.tell(subscriber, Number(event.key), event.version, performance.now())
    }
  }
  const ended = Promise.all(urls.map(listen)).then(() => undefined)
  return {
    get resets() {
      return resets
    },
    ended,
  }
}
