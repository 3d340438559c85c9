import { parseDuration } from './duration.js'
import type { Issue } from './errors.js'

/** How fresh an answer must be (DESIGN.md §3, Serve), the least strict first. */
const levels = ['bounded', 'session', 'strict'] as const
export type Level = (typeof levels)[number]

/** As written in a definition; durations are texts like `'10m'`. */
export interface CacheRules {
  /** How long a value may be kept. A matter of memory, not of correctness. */
  readonly ttl: string
  /** How long past its ttl a value may be served, labelled, when the origin fails. `'0s'`: never. */
  readonly grace: string
  readonly level: Level
  /** Bound of the `bounded` level. */
  readonly maxLag: string
  /** How long "there is no such row" may be kept. Default: `ttl`, at most one minute. */
  readonly negativeTtl?: string
}

export interface CachePolicy {
  readonly ttlMs: number
  readonly graceMs: number
  readonly level: Level
  readonly maxLagMs: number
  readonly negativeTtlMs: number
}

/** What an answer made of both may promise: as fresh as the fresher asks, kept as short as the shorter allows. */
export function strictest(a: CachePolicy, b: CachePolicy): CachePolicy {
  return {
    ttlMs: Math.min(a.ttlMs, b.ttlMs),
    graceMs: Math.min(a.graceMs, b.graceMs),
    level: levels[Math.max(levels.indexOf(a.level), levels.indexOf(b.level))]!,
    maxLagMs: Math.min(a.maxLagMs, b.maxLagMs),
    negativeTtlMs: Math.min(a.negativeTtlMs, b.negativeTtlMs),
  }
}

/** Anyone can ask for ids that do not exist, so what is kept for them must leave soon. */
const negativeTtlDefaultMs = 60_000

/** The policy in milliseconds; every mistake is pushed to `issues`. */
export function readPolicy(rules: CacheRules, issues: Issue[]): CachePolicy {
  const read = (name: keyof CacheRules, isPositive: boolean): number => {
    const text = rules[name] as string
    const valueMs = parseDuration(text)
    if (valueMs === undefined || (isPositive && valueMs === 0)) {
      const allowed = isPositive
        ? 'longer than 0, like 500ms, 2s, 10m, 1h or 1d'
        : 'like 0s, 30s, 10m, 1h or 1d'
      issues.push({
        field: `cache.${name}`,
        message: `"${String(text)}" is no duration; write one ${allowed}`,
      })
    }
    return valueMs ?? 0
  }
  if (!levels.includes(rules.level)) {
    issues.push({ field: 'cache.level', message: `"${String(rules.level)}" is none of ${levels.join(', ')}` })
  }
  const ttlMs = read('ttl', true)
  return {
    ttlMs,
    graceMs: read('grace', false),
    level: rules.level,
    maxLagMs: read('maxLag', true),
    negativeTtlMs:
      rules.negativeTtl === undefined ? Math.min(ttlMs, negativeTtlDefaultMs) : read('negativeTtl', true),
  }
}
