import { CacheError } from './cache-error.js'
import type { Duration } from './duration.js'
import { durationMs, keptMs, waitMs } from './duration.js'

/** What an answer promises; see docs of the levels in DESIGN.md, "Serve". */
export type Level = 'bounded' | 'session' | 'strict'

/**
 * How a kind of value is cached. Correctness does not hang on `ttl`: it says for how long memory is spent. Longer than can
 * be kept (2,000 years) or waited for (24 days), `Infinity` too, is as long as can be; parts of a millisecond count as one.
 */
export interface PolicyOptions {
  /** How long a value is kept. Default 10 minutes. */
  readonly ttl?: Duration
  /** How long `null`, the answer "there is none", is kept. Default: as `ttl`, at most 1 minute. */
  readonly negativeTtl?: Duration
  /** For how long past its ttl a value may be served, labelled `stale`, when it cannot be loaded. Default 0: never. */
  readonly grace?: Duration
  /** Default 'bounded'. */
  readonly level?: Level
  /** `bounded` answers hold everything committed longer ago than this. Default 2 seconds. */
  readonly maxLag?: Duration
  /** Soft: a value within its grace is served if the load takes longer; the load goes on. Default: none. */
  readonly timeout?: Duration
  /** A call ends by then, one way or another. Default 10 seconds. */
  readonly hardTimeout?: Duration
  /** For how long one process may load while the others wait for its value; 0: each loads. Default 2 seconds. */
  readonly lease?: Duration
  /** How long to wait for the follower to reach a token, and for the log's head. Default 1 second. */
  readonly tokenTimeout?: Duration
}

/** A policy with its durations parsed. */
export interface Policy {
  readonly ttlMs: number
  readonly negativeTtlMs: number
  readonly graceMs: number
  readonly level: Level
  readonly maxLagMs: number
  readonly timeoutMs: number
  readonly hardTimeoutMs: number
  readonly leaseMs: number
  readonly tokenTimeoutMs: number
}

const levels: readonly string[] = ['bounded', 'session', 'strict'] satisfies Level[]

const asItIs = (ms: number): number => ms

const second = 1_000
const minute = 60 * second
const longestNegativeByDefault = minute

export const defaultPolicy: Policy = {
  ttlMs: 10 * minute,
  negativeTtlMs: longestNegativeByDefault,
  graceMs: 0,
  level: 'bounded',
  maxLagMs: 2 * second,
  timeoutMs: Infinity,
  hardTimeoutMs: 10 * second,
  leaseMs: 2 * second,
  tokenTimeoutMs: second,
}

/**
 * Parses `options` once; what they leave out is taken from `base`.
 *
 * @example const products = definePolicy({ ttl: '10m', grace: '1h' })
 * @throws CacheError 'cache.bad-option' that names the field
 */
export function definePolicy(options: PolicyOptions, base: Policy = defaultPolicy): Policy {
  const parse = (field: keyof PolicyOptions, inherited: number, fit = asItIs): number => {
    const given = options[field]
    return given === undefined ? inherited : fit(durationMs(given, field))
  }
  const level = options.level ?? base.level
  if (!levels.includes(level))
    throw new CacheError('cache.bad-option', `level: "${level}" is none of ${levels.join(', ')}`)
  const ttlMs = parse('ttl', base.ttlMs, keptMs)
  const negativeByDefault =
    options.ttl === undefined ? base.negativeTtlMs : Math.min(ttlMs, longestNegativeByDefault)
  return {
    ttlMs,
    negativeTtlMs: parse('negativeTtl', negativeByDefault, keptMs),
    graceMs: parse('grace', base.graceMs, keptMs),
    level,
    maxLagMs: parse('maxLag', base.maxLagMs),
    timeoutMs: parse('timeout', base.timeoutMs, waitMs),
    hardTimeoutMs: parse('hardTimeout', base.hardTimeoutMs, waitMs),
    leaseMs: parse('lease', base.leaseMs, waitMs),
    tokenTimeoutMs: parse('tokenTimeout', base.tokenTimeoutMs, waitMs),
  }
}

/** The policy of one request: its own words over the cache's. No new object where it says nothing. */
export function policyOf(request: PolicyOptions & { readonly policy?: Policy }, byDefault: Policy): Policy {
  const base = request.policy ?? byDefault
  const says =
    request.ttl ??
    request.negativeTtl ??
    request.grace ??
    request.level ??
    request.maxLag ??
    request.timeout ??
    request.hardTimeout ??
    request.lease ??
    request.tokenTimeout
  return says === undefined ? base : definePolicy(request, base)
}
