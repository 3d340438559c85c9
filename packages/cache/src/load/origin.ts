import type { Follower, Instant } from '@tidemark/tide'

import { CacheError } from '../cache-error.js'
import type { BatchContext } from '../request.js'
import type { Events } from '../events/events.js'
import { traced } from '../events/traced.js'
import type { Schedule } from '../schedule.js'
import { within } from '../schedule.js'
import type { Counters } from '../stats.js'
import type { HeldBefore } from './directions.js'
import type { Flight } from './flight.js'
import type { LoadGate } from './load-gate.js'
import { LoadTurn } from './load-turn.js'

/** Where a key's value comes from when no tier has it. */
export interface Origin<T> {
  /** What one call asked for is loaded together. */
  readonly isShared?: boolean
  /** Calls `flight.begin` right before the origin is asked. */
  load(key: string, flight: Flight<T>): Promise<T | undefined>
}

export interface OriginParts {
  readonly follower: Follower
  readonly now: () => Instant
  readonly gate: LoadGate
  readonly schedule: Schedule
  readonly counters: Counters
  readonly events: Events
  /** What is held of `key` and may not be served. */
  readonly previous: (key: string, flight: Flight) => HeldBefore | undefined
}

/**
 * One question to the origin: waits for its turn, takes the tidemark, begins the flights that hang on it, and only then
 * calls `load`. Ends by `deadlineMs` (own monotonic clock); then the signal is aborted and the place at the gate is
 * free, though a loader that ignores its signal may run on.
 *
 * @throws CacheError 'cache.load-timeout', 'cache.overloaded', or what `load` throws
 */
export function askOrigin<R>(
  parts: OriginParts,
  keys: readonly string[],
  flights: readonly Flight[],
  deadlineMs: number,
  load: (context: BatchContext) => R | Promise<R>,
): Promise<R> {
  const { loads, namespace } = parts.events
  if (!loads.hasSubscribers) return askInTurn(parts, flights, deadlineMs, load)
  const monoMs = (): number => parts.now().monoMs
  const context = { namespace, kind: flights[0]?.kind ?? '', keys, startedAtMs: monoMs() }
  return traced(loads, context, monoMs, () => askInTurn(parts, flights, deadlineMs, load))
}

async function askInTurn<R>(
  parts: OriginParts,
  flights: readonly Flight[],
  deadlineMs: number,
  load: (context: BatchContext) => R | Promise<R>,
): Promise<R> {
  const { gate, counters, follower, now, schedule } = parts
  const turn = gate.enter(deadlineMs - now().monoMs)
  if (turn !== undefined) await turn
  try {
    const stamp = follower.stamp()
    const at = now()
    for (const flight of flights) flight.begin(at, stamp)
    counters.loads++
    const context = new LoadTurn(stamp)
    const loading = load(context)
    return await within(Promise.resolve(loading), deadlineMs - at.monoMs, schedule, () => {
      const error = new CacheError('cache.load-timeout', 'the load did not end within its hardTimeout')
      context.abort(error)
      return error
    })
  } catch (error) {
    counters.loadErrors++
    throw error
  } finally {
    gate.leave()
  }
}
