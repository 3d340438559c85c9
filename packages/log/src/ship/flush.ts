/**
 * `flush()`: read the ask counter N at each sink, sequence, ship, answer the asks.
 *
 * The order is the proof. A follower that took number n ≤ N took it before the log was sequenced, so the head that this
 * run then ships holds everything committed before the follower asked.
 *
 * Calls share runs by the rule of `joinRuns`: a call made after its commit never joins a run that may have sequenced
 * before it. The next run may sequence while this one still ships.
 */

import type { Token } from '@tidemark/tide'

import type { Clock } from '../clock.js'
import { settlesWithin, systemClock } from '../clock.js'
import type { LogEntry } from '../entry.js'
import { LogError } from '../errors.js'
import { joinRuns } from '../join-runs.js'
import type { LogDatabase } from '../postgres/log-database.js'
import { createLogReader } from '../postgres/log-reader.js'
import { createSequencer } from '../postgres/sequencer.js'
import type { Sequencer } from '../postgres/sequencer.js'
import { createShipper } from './shipper.js'
import type { ShipperStatus } from './shipper.js'
import type { Sink } from './sink.js'

export interface FlushResult {
  /** Covers everything committed before the call. */
  readonly token: Token
  /** Whether every sink holds it; if not, the next flush by anyone ships it. */
  readonly shipped: boolean
  /** The positions that this run made; see `Sequenced.entries`. */
  readonly entries: readonly LogEntry[]
}

export interface Flush {
  /** @throws LogError `log.unreachable`, `log.backlog`; a sink that is down is no error */
  flush(): Promise<FlushResult>
  status(): readonly ShipperStatus[]
  /** Lets go of the sinks; calls then throw `log.stopped`. */
  stop(): void
}

export interface FlushOptions {
  readonly log: LogDatabase
  readonly sinks: readonly Sink[]
  readonly onError?: (error: LogError, sink: string) => void
  /** How long a call waits for the sinks before it answers `shipped: false`. */
  readonly shipWaitMs?: number
  readonly countWaitMs?: number
  readonly restMs?: number
  /** For each query in Postgres. */
  readonly timeoutMs?: number
  readonly sequencer?: Sequencer
  readonly clock?: Clock
}

/** @example const { token } = await createFlush({ log, sinks: [redisSink({ redis: url })] }).flush() */
export function createFlush({
  log,
  sinks,
  onError,
  shipWaitMs = 1_000,
  countWaitMs,
  restMs,
  timeoutMs = 2_000,
  sequencer = createSequencer({ log, timeoutMs }),
  clock = systemClock,
}: FlushOptions): Flush {
  const reader = createLogReader(log, timeoutMs)
  const shippers = sinks.map((sink) =>
    createShipper({ sink, log: reader, clock, onError, countWaitMs, restMs }),
  )
  let isStopped = false

  const run = joinRuns(async () => {
    const counts = await Promise.all(shippers.map((shipper) => shipper.count()))
    const { token, epoch, link, entries } = await sequencer.sequence()
    const shipping = shippers.map((shipper, i) => shipper.ship({ epoch, link, entries, asked: counts[i] }))
    return { token, entries, shipping: Promise.all(shipping) }
  })

  return {
    async flush() {
      if (isStopped) throw new LogError('log.stopped', 'flush: stopped')
      const { token, entries, shipping } = await run()
      const isSettled = await settlesWithin(clock, shipWaitMs, shipping)
      return { token, entries, shipped: isSettled && (await shipping).every((isShipped) => isShipped) }
    },
    status: () => shippers.map((shipper) => shipper.status()),
    stop() {
      isStopped = true
      for (const shipper of shippers) shipper.close()
    },
  }
}
