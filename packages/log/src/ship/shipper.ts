/**
 * Brings one sink to the log's head.
 *
 * It remembers nothing about what the sink has. The first run is a guess: what was just sequenced, after what came
 * before it. A sink that ends elsewhere says where, and the log is read from there.
 *
 * One shipment is under way and one waits; calls meanwhile share the one that waits, which then takes the newest head.
 * So a slow sink is behind by itself: it delays neither the sequencing nor another sink, and after a few failures in a
 * row it is left alone for a while.
 */

import type { Epoch, Link } from '@tidemark/tide'
import { BrokenCircuitError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleAll } from 'cockatiel'

import type { Clock } from '../clock.js'
import { settlesWithin } from '../clock.js'
import type { LogEntry } from '../entry.js'
import { asLogError, LogError } from '../errors.js'
import { joinRuns } from '../join-runs.js'
import type { LogReader } from '../postgres/log-reader.js'
import { resume, runLength } from './resume.js'
import type { AskCount, Heartbeat, Sink, SinkEnd, SinkRun } from './sink.js'

export interface Shipment {
  readonly epoch: Epoch
  /** The log's head: where the sink must get. */
  readonly link: Link
  /** The last positions up to the head, as far as they are known. */
  readonly entries: readonly LogEntry[]
  /** Read at this sink before the log was sequenced up to the head. */
  readonly asked: AskCount | undefined
}

export interface ShipperStatus {
  readonly sink: string
  readonly isOpen: boolean
  /** Where the sink ended when it last answered. */
  readonly end: SinkEnd | undefined
  readonly shipments: number
  readonly failures: number
  readonly lastError: LogError | undefined
}

export interface Shipper {
  /**
   * The sink's ask counter; undefined where it does not say so in time. One that came late answers the next call, for it
   * was read before that: so a sink that is far away gets heartbeats too, and nobody waits for it.
   */
  count(): Promise<AskCount | undefined>
  /** Whether the sink now holds everything up to the shipment's head. Never rejects. */
  ship(shipment: Shipment): Promise<boolean>
  status(): ShipperStatus
  close(): void
}

export interface ShipperOptions {
  readonly sink: Sink
  readonly log: LogReader
  readonly clock: Clock
  /** What went wrong at this sink; `log.sink-ahead` is an alarm, somebody has to act. */
  readonly onError?: ((error: LogError, sink: string) => void) | undefined
  /** How long a flush waits for a sink's counter before it goes on without; 0: not at all. */
  readonly countWaitMs?: number | undefined
  /** How long a sink that failed `maxFailures` times in a row is left alone. */
  readonly restMs?: number | undefined
}

const maxFailures = 3

/** Runs in one shipment: 64,000 positions; the next shipment goes on. */
const maxRuns = 1_000

export function createShipper({
  sink,
  log,
  clock,
  onError,
  countWaitMs = 25,
  restMs = 1_000,
}: ShipperOptions): Shipper {
  const breaker = circuitBreaker(handleAll, {
    halfOpenAfter: restMs,
    breaker: new ConsecutiveBreaker(maxFailures),
  })
  let isOpen = true
  let next: Shipment | undefined
  let counting: Promise<AskCount> | undefined
  /** Came too late for the run that asked for it; it was read before any later run begins to sequence. */
  let held: AskCount | undefined
  let end: SinkEnd | undefined
  let shipments = 0
  let failures = 0
  let lastError: LogError | undefined

  const note = (error: unknown): void => {
    if (error instanceof BrokenCircuitError) return
    failures++
    lastError = asLogError(error, 'log.sink-failed', sink.name)
    onError?.(lastError, sink.name)
  }

  const bring = async (shipment: Shipment): Promise<void> => {
    const heartbeat = shipment.asked && {
      asked: shipment.asked,
      epoch: shipment.epoch,
      position: shipment.link.position,
    }
    let run = guess(shipment, heartbeat)
    for (let runs = 0; runs < maxRuns; runs++) {
      const answer = await sink.put(run)
      end = answer.end
      if (answer.said === 'shipped' && run.entries.length < runLength) return
      run = { ...(await resume(log, answer)), heartbeat }
    }
    throw new LogError('log.sink-failed', `${sink.name}: not at the log's head after ${maxRuns} runs`)
  }

  const shipNext = joinRuns(async () => {
    const shipment = next
    next = undefined
    if (shipment === undefined || !isOpen) return false
    // The breaker would make this wait until the count that tries the sink out has its answer.
    if (counting !== undefined && breaker.state !== CircuitState.Closed) return false
    try {
      await breaker.execute(() => bring(shipment))
      shipments++
      lastError = undefined
      return true
    } catch (error) {
      note(error)
      return false
    }
  })

  return {
    async count() {
      if (!isOpen) return undefined
      const earlier = held
      held = undefined
      if (counting !== undefined) return earlier
      let isLate = earlier !== undefined || countWaitMs === 0
      const mine = breaker.execute(() => sink.count())
      counting = mine
      mine.then(
        (count) => {
          counting = undefined
          if (isLate) held = count
        },
        () => {
          counting = undefined
        },
      )
      mine.catch(note)
      if (isLate) return earlier
      isLate = !(await settlesWithin(clock, countWaitMs, mine))
      return isLate ? undefined : mine.catch(() => undefined)
    },
    ship(shipment) {
      next = next === undefined ? shipment : merge(next, shipment)
      return shipNext()
    },
    status: () => ({ sink: sink.name, isOpen, end, shipments, failures, lastError }),
    close() {
      isOpen = false
      sink.close()
    },
  }
}

function guess({ link, entries }: Shipment, heartbeat: Heartbeat | undefined): SinkRun {
  const [first] = entries
  if (first === undefined) return { mode: 'append', after: link, entries, heartbeat }
  const after = { position: first.position - 1, mark: first.previousMark }
  return { mode: 'append', after, entries: entries.slice(0, runLength), heartbeat }
}

/** The newer head with both entries, if they make one run. A count that was read for the older is as good for the newer. */
function merge(held: Shipment, latest: Shipment): Shipment {
  const newer = { ...latest, asked: latest.asked ?? held.asked }
  const [first] = newer.entries
  const last = held.entries.at(-1)
  const continues =
    first?.previousMark === last?.mark && held.entries.length + newer.entries.length <= runLength
  return continues ? { ...newer, entries: [...held.entries, ...newer.entries] } : newer
}
