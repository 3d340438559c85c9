/**
 * The copies of the log that this service keeps: the one at hand, which writers and readers of this region use, and those
 * of other regions, for which nobody waits.
 *
 * Each Redis gets checkpoints of its own: a reader starts from the Redis that it follows. The floors are those of this
 * service's follower, in the same history; a copy that trails the checkpoint catches up, and the reader with it.
 */
import { createFlush, redisSink, requestClient } from '@tidemark/log'
import type { Flush, LogDatabase, LogError, Sink } from '@tidemark/log'
import { firstSinkName } from './sink-list.js'
import type { NamedSink } from './sink-list.js'

/** Across regions: one round trip, and the time to send a run of large entries. */
const farTimeoutMs = 2_000

export interface SinksOptions {
  readonly log: LogDatabase
  readonly url: string
  readonly far: readonly NamedSink[]
  readonly prefix: string
  readonly onError: (error: LogError, sink: string) => void
}

export interface Sinks {
  readonly flush: Flush
  /** The one at hand. */
  readonly near: Sink
  /** A client for each of them, the one at hand first. */
  open(): readonly { readonly name: string; readonly client: ReturnType<typeof requestClient> }[]
}

export function createSinks({ log, url, far, prefix, onError }: SinksOptions): Sinks {
  const near = redisSink({ redis: url, prefix, name: firstSinkName })
  const farSinks = far.map((sink) =>
    redisSink({ redis: sink.url, prefix, name: sink.name, timeoutMs: farTimeoutMs }),
  )
  return {
    flush: createFlush({ log, sinks: [near], farSinks, onError }),
    near,
    open: () => [
      { name: firstSinkName, client: requestClient({ url, name: 'tidemark-invalidation' }) },
      ...far.map((sink) => ({
        name: sink.name,
        client: requestClient({
          url: sink.url,
          name: 'tidemark-invalidation',
          commandTimeoutMs: farTimeoutMs,
        }),
      })),
    ],
  }
}
