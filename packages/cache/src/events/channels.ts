import type { TracingChannel } from 'node:diagnostics_channel'
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'

import type { CacheEventName, CacheEvents, L2Trace, LoadTrace } from './cache-events.js'

export const prefix = 'tidemark:cache:'

/** Around every call of a loader, in the async context of the call that began it. */
export const loadTraces = (): TracingChannel<unknown, LoadTrace> => tracingChannel(`${prefix}load`)

/** Around every call of Redis. */
export const l2Traces = (): TracingChannel<unknown, L2Trace> => tracingChannel(`${prefix}l2`)

/**
 * Calls `listener` with each event of that name, of all caches in this process; it must not throw. Gives the function that
 * ends it.
 *
 * @example const stop = onCacheEvent('sunk', ({ namespace, key, tier }) => log.debug({ namespace, key, tier }))
 */
export function onCacheEvent<N extends CacheEventName>(
  name: N,
  listener: (event: CacheEvents[N]) => void,
): () => void {
  const heard = (event: unknown): void => {
    listener(event as CacheEvents[N])
  }
  subscribe(prefix + name, heard)
  return () => {
    unsubscribe(prefix + name, heard)
  }
}
