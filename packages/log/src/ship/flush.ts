/**
 * `flush()`: read the ask counter N at each sink, sequence, ship, answer the asks.
 *
 * The order is the proof. A follower that took number n ≤ N took it before the log was sequenced, so the head that this
 * run then ships holds everything committed before the follower asked.
 *
 * Sinks that are far away get the same runs, and nobody waits for them: neither for their counters nor for their answers.
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
  /** Whether every sink but the far ones holds it; if not, the next flush by anyone ships it. */
  readonly shipped: boolean
  /** The positions that this run made; see `Sequenced.entries`. */
  readonly entries: readonly LogEntry[]
}

export interface Flush {
  /**
   * @param waitMs how long to wait for the sinks, if not `shipWaitMs`
   * @throws LogError `log.unreachable`, `log.backlog`; a sink that is down is no error
   */
  flush(waitMs?: number): Promise<FlushResult>
  status(): readonly ShipperStatus[]
  /** Lets go of the sinks; calls then throw `log.stopped`. */
  stop(): void
}

export interface FlushOptions {
  readonly log: LogDatabase
  readonly sinks: readonly Sink[]
  /** Shipped to as well, but never waited for: those of another region. */
  readonly farSinks?: readonly Sink[]
  readonly onError?: (error: LogError, sink: string) => void
  /** How long a call waits for the sinks before it answers `shipped: false`. */
  readonly shipWaitMs?: number
  readonly countWaitMs?: number
  readonly restMs?: number
  /** For each query in Postgres. */
  readonly timeoutMs?: number
  /** Batches sequenced in one run; `log.backlog` after that, and what they made is shipped. */
  readonly maxBatches?: number
  readonly sequencer?: Sequencer
  readonly clock?: Clock
}

/** @example const { token } = await createFlush({ log, sinks: [redisSink({ redis: url })] }).flush() */
export function createFlush({
  log,
  sinks,
  farSinks = [],
  onError,
  shipWaitMs = 1_000,
  countWaitMs,
  restMs,
  timeoutMs = 2_000,
  maxBatches = 20,
  sequencer = createSequencer({ log, timeoutMs, maxBatches }),
  clock = systemClock,
}: FlushOptions): Flush {
  const reader = createLogReader(log, timeoutMs)
  const shipperOf = (waitMs: number | undefined) => (sink: Sink) =>
    createShipper({ sink, log: reader, clock, onError, countWaitMs: waitMs, restMs })
  const shippers = [...sinks.map(shipperOf(countWaitMs)), ...farSinks.map(shipperOf(0))]
  let isStopped = false

  /** What is sequenced of a back-log is shipped, and answers no ask: more was committed before that. */
  const shipBacklog = async (error: unknown): Promise<never> => {
    if (error instanceof LogError && error.code === 'log.backlog') {
      const { epoch, link } = await reader.whereabouts(0)
      for (const shipper of shippers) void shipper.ship({ epoch, link, entries: [], asked: undefined })
    }
    throw error
  }

  const run = joinRuns(async () => {
    const counts = await Promise.all(shippers.map((shipper) => shipper.count()))
    const { token, epoch, link, entries } = await sequencer.sequence().catch(shipBacklog)
    const shipping = shippers.map((shipper, i) => shipper.ship({ epoch, link, entries, asked: counts[i] }))
    return { token, entries, shipping: Promise.all(shipping.slice(0, sinks.length)) }
  })

  return {
    async flush(waitMs = shipWaitMs) {
      if (isStopped) throw new LogError('log.stopped', 'flush: stopped')
      const { token, entries, shipping } = await run()
      const isSettled = await settlesWithin(clock, waitMs, shipping)
      return { token, entries, shipped: isSettled && (await shipping).every((isShipped) => isShipped) }
    },
    status: () => shippers.map((shipper) => shipper.status()),
    stop() {
      isStopped = true
      for (const shipper of shippers) shipper.close()
    },
  }
}
