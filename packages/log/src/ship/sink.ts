import type { Epoch, Link } from '@tidemark/tide'

import type { LogEntry } from '../entry.js'

/** What a sink's ask counter said. */
export interface AskCount {
  readonly generation: number
  readonly count: number
}

/** Where a sink's copy of the log ends. */
export interface SinkEnd {
  readonly epoch: Epoch
  readonly link: Link
}

/** A heartbeat to append if the sink then ends at or past `position` of `epoch`. */
export interface Heartbeat {
  readonly asked: AskCount
  readonly epoch: Epoch
  readonly position: number
}

export interface SinkRun {
  /** `append` after the end named; `reset`: replace the whole copy, if it still ends there. */
  readonly mode: 'append' | 'reset'
  /** Where the sink must end; undefined: be empty. */
  readonly after: Link | undefined
  /** Oldest first, each continuing the one before. */
  readonly entries: readonly LogEntry[]
  readonly heartbeat?: Heartbeat | undefined
}

/** `elsewhere`: it ends where `end` says, and nothing was done. `damaged`: it cannot be continued, only reset. */
export interface SinkAnswer {
  readonly said: 'shipped' | 'elsewhere' | 'damaged'
  readonly end: SinkEnd | undefined
}

/**
 * Something that keeps a copy of the log: a Redis stream, say. It decides by itself whether a run continues what it has,
 * and always can say where it ends, so that nobody has to remember what was shipped.
 */
export interface Sink {
  readonly name: string
  /** Read before the log is sequenced. @throws LogError `log.sink-failed` */
  count(): Promise<AskCount>
  /** @throws LogError `log.sink-failed` */
  put(run: SinkRun): Promise<SinkAnswer>
  close(): void
}
