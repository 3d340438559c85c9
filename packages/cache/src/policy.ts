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
  /**
   * How long a value is kept. Default 10 minutes. `'afloat'`: for as long as no change has touched its tags, which is also
   * for as long as it is right.
   */
  readonly ttl?: Duration | 'afloat'
  /** How long `null`, the answer "there is none", is kept. Default: as `ttl`, at most 1 minute. */
  readonly negativeTtl?: Duration
  /** For how long past its ttl a value may be served, labelled `stale`, when it cannot be loaded. Default 0: never. */
  readonly grace?: Duration
  /** By what share of it, at most, a ttl is cut at random, so that what was stored together does not end together. Default 0. */
  readonly jitter?: number
  /**
   * Early refresh by XFetch: a hit near the end of a ttl begins the next load, at a chance that grows towards the end and with
   * what the load cost. 0, the default: never; 1 is the authors' choice, more is earlier.
   */
  readonly beta?: number
  /** A value that callers use is loaded again as soon as it sinks, by one process of all that hold it. Default false. */
  readonly refreshOnSink?: boolean
  /** Default 'bounded'. */
  readonly level?: Level
  /** `bounded` answers hold everything committed longer ago than this. Default 2 seconds. */
  readonly maxLag?: Duration
  /**
   * Soft: a value within its grace is served if the load takes longer; the load goes on. Default: none. 0: it is served at
   * once, and loaded behind the answer (stale-while-revalidate).
   */
  readonly timeout?: Duration
  /** A call ends by then, one way or another. Default 10 seconds. */
  readonly hardTimeout?: Duration
  /** For how long one process may load while the others wait for its value; 0: each loads. Default 2 seconds. */
  readonly lease?: Duration
  /** How long to wait for the follower to reach a token, and for the log's head. Default 1 second. */
  readonly tokenTimeout?: Duration
  /**
   * Whether L2 is left out for keys and kinds whose values sink before anybody uses them, as long as their loads are cheap:
   * `'auto'`, the default, or `'never'`. See docs/watching.md.
   */
  readonly bypass?: 'auto' | 'never'
  /**
   * What these values are, in a word or two for people: advice, events and spans name it. Said with the policy or by the loader,
   * not by a request: there are at most 64 of them in a namespace.
   */
  readonly kind?: string
}

/** A policy with its durations parsed. */
export interface Policy {
  readonly ttlMs: number
  readonly negativeTtlMs: number
  readonly graceMs: number
  readonly jitter: number
  readonly beta: number
  readonly refreshOnSink: boolean
  readonly level: Level
  readonly maxLagMs: number
  readonly timeoutMs: number
  readonly hardTimeoutMs: number
  readonly leaseMs: number
  readonly tokenTimeoutMs: number
  readonly bypass: 'auto' | 'never'
  readonly kind: string
}

const levels: readonly string[] = ['bounded', 'session', 'strict'] satisfies Level[]

type DurationField = Exclude<
  keyof PolicyOptions,
  'level' | 'jitter' | 'beta' | 'refreshOnSink' | 'bypass' | 'kind'
>

const asItIs = (ms: number): number => ms

const second = 1_000
const minute = 60 * second
const longestNegativeByDefault = minute

export const defaultPolicy: Policy = {
  ttlMs: 10 * minute,
  negativeTtlMs: longestNegativeByDefault,
  graceMs: 0,
  jitter: 0,
  beta: 0,
  refreshOnSink: false,
  level: 'bounded',
  maxLagMs: 2 * second,
  timeoutMs: Infinity,
  hardTimeoutMs: 10 * second,
  leaseMs: 2 * second,
  tokenTimeoutMs: second,
  bypass: 'auto',
  kind: '',
}

/**
 * Parses `options` once; what they leave out is taken from `base`.
 *
 * @example const products = definePolicy({ ttl: '10m', grace: '1h' })
 * @throws CacheError 'cache.bad-option' that names the field
 */
export function definePolicy(options: PolicyOptions, base: Policy = defaultPolicy): Policy {
  const parse = (field: DurationField, inherited: number, fit = asItIs): number => {
    const given = options[field]
    return given === undefined ? inherited : fit(durationMs(given === 'afloat' ? Infinity : given, field))
  }
  const level = options.level ?? base.level
  if (!levels.includes(level))
    throw new CacheError('cache.bad-option', `level: "${level}" is none of ${levels.join(', ')}`)
  const bypass = options.bypass ?? base.bypass
  if (bypass !== 'auto' && bypass !== 'never')
    throw new CacheError('cache.bad-option', `bypass: "${String(bypass)}" is neither auto nor never`)
  const ttlMs = parse('ttl', base.ttlMs, keptMs)
  const negativeByDefault =
    options.ttl === undefined ? base.negativeTtlMs : Math.min(ttlMs, longestNegativeByDefault)
  return {
    ttlMs,
    negativeTtlMs: parse('negativeTtl', negativeByDefault, keptMs),
    graceMs: parse('grace', base.graceMs, keptMs),
    jitter: inRange('jitter', options.jitter, base.jitter, 1),
    beta: inRange('beta', options.beta, base.beta, maxBeta),
    refreshOnSink: options.refreshOnSink ?? base.refreshOnSink,
    level,
    maxLagMs: parse('maxLag', base.maxLagMs),
    timeoutMs: parse('timeout', base.timeoutMs, waitMs),
    hardTimeoutMs: parse('hardTimeout', base.hardTimeoutMs, waitMs),
    leaseMs: parse('lease', base.leaseMs, waitMs),
    tokenTimeoutMs: parse('tokenTimeout', base.tokenTimeoutMs, waitMs),
    bypass,
    kind: options.kind ?? base.kind,
  }
}

const maxBeta = 100

function inRange(field: string, given: number | undefined, inherited: number, most: number): number {
  if (given === undefined) return inherited
  if (given >= 0 && given <= most) return given
  throw new CacheError('cache.bad-option', `${field}: ${given} is not a number from 0 to ${most}`)
}

/** The policy of one request: its own words over the cache's. No new object where it says nothing. */
export function policyOf(request: PolicyOptions & { readonly policy?: Policy }, byDefault: Policy): Policy {
  const base = request.policy ?? byDefault
  const says =
    request.ttl ??
    request.negativeTtl ??
    request.grace ??
    request.jitter ??
    request.beta ??
    request.refreshOnSink ??
    request.level ??
    request.maxLag ??
    request.timeout ??
    request.hardTimeout ??
    request.lease ??
    request.tokenTimeout ??
    request.bypass
  return says === undefined ? base : definePolicy(request, base)
}
