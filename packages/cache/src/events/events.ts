import type { Channel } from 'node:diagnostics_channel'
import { channel } from 'node:diagnostics_channel'

import type { CacheEventName, CacheEvents } from './cache-events.js'
import { l2Traces, loadTraces, prefix } from './channels.js'

const names = [
  'miss',
  'hit-l2',
  'sunk',
  'expired',
  'unproven',
  'stale',
  'shared',
  'refresh',
  'lease-wait',
  'lease-given-up',
  'invalidate',
  'put',
  'delete',
  'clear',
  'l2-trouble',
  'breaker',
  'undecodable',
  'bypass',
  'adopted',
  'rebased',
] as const satisfies CacheEventName[]

/** What is said beside the namespace. */
type Said<N extends CacheEventName> = Omit<CacheEvents[N], 'namespace'>

/** The events of one cache. A listener that throws is the process's uncaught exception, as Node has it, and not the caller's. */
export class Events {
  readonly namespace: string
  readonly loads = loadTraces()
  readonly l2 = l2Traces()
  readonly #channels: ReadonlyMap<CacheEventName, Channel>

  constructor(namespace: string) {
    this.namespace = namespace
    this.#channels = new Map(names.map((name) => [name, channel(prefix + name)]))
  }

  /** For where even what is said would cost too much. */
  isHeard(name: CacheEventName): boolean {
    return this.#channels.get(name)!.hasSubscribers
  }

  tell<N extends CacheEventName>(name: N, said: Said<N>): void {
    const listened = this.#channels.get(name)!
    if (listened.hasSubscribers) listened.publish({ namespace: this.namespace, ...said })
  }
}
