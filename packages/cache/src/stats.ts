import type { BreakerState } from './l2/redis-node.js'

/** What has happened since the cache was made. Plain integers: reading them costs nothing, counting them next to it. */
export interface Counters {
  hitsL1: number
  hitsL2: number
  /** Calls that neither tier could serve. */
  misses: number
  loads: number
  loadErrors: number
  /** Held, but a tag's floor had risen above it, or of another epoch. */
  sunk: number
  /** Held and afloat, but the follower could not show that its lag is within the bound. */
  unproven: number
  expired: number
  staleServed: number
  /** Loads that left L2 out, since the key's or the kind's values are not used. */
  bypassed: number
  /** Calls that were answered by a load that another call had begun. */
  shared: number
  leasesTaken: number
  /** Loads that had to wait for another process first. */
  leaseWaits: number
  /** Loads made without a lease because waiting for it had taken too long. */
  leaseGivenUp: number
  /** Loads begun before anybody had to wait for them. */
  refreshes: number
  overloaded: number
  /** Redis calls that failed, took too long, or were not made since Redis is in trouble. */
  redisErrors: number
  decodeFailures: number
  encodeFailures: number
}

export interface CacheStats extends Readonly<Counters> {
  readonly breaker: BreakerState | 'none'
  readonly l1Entries: number
  readonly l1Bytes: number
  /** Loads running now, and loads waiting for their turn. */
  readonly loading: number
  readonly queued: number
  /** Keys that `refreshOnSink` looks after now. */
  readonly hotKeys: number
  /** Keys that L2 is left out for now, each for itself. */
  readonly bypassedKeys: number
}

export const newCounters = (): Counters => ({
  hitsL1: 0,
  hitsL2: 0,
  misses: 0,
  loads: 0,
  loadErrors: 0,
  sunk: 0,
  unproven: 0,
  expired: 0,
  staleServed: 0,
  bypassed: 0,
  shared: 0,
  leasesTaken: 0,
  leaseWaits: 0,
  leaseGivenUp: 0,
  refreshes: 0,
  overloaded: 0,
  redisErrors: 0,
  decodeFailures: 0,
  encodeFailures: 0,
})
