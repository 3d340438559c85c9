import ms from 'ms'

import { CacheError } from './cache-error.js'

/** Milliseconds, or text such as `'10m'`, `'1.5h'`, `'250ms'`. */
export type Duration = number | string

/** `now + ttl + grace` still fits the 48 bits that the envelope has for a time. */
export const longestKeptMs = 2 ** 46
/** A timer set for longer fires at once. */
const longestWaitMs = 2 ** 31 - 1

/** As long as a value can be kept, in the whole milliseconds that Redis takes. */
export const keptMs = (ms: number): number => Math.min(longestKeptMs, Math.ceil(ms))

/** As long as anything can be waited for, in whole milliseconds. */
export const waitMs = (ms: number): number => Math.min(longestWaitMs, Math.ceil(ms))

/** Texts seen so far: a literal at a call site is parsed once for the process, not once for each call. */
const parsed = new Map<string, number>()
const maxParsed = 256

/** @throws CacheError 'cache.bad-option' that names `field` */
export function durationMs(duration: Duration, field: string): number {
  if (typeof duration === 'number') {
    if (duration >= 0) return duration
    throw new CacheError('cache.bad-option', `${field}: ${duration} is no duration; milliseconds, 0 or more`)
  }
  const known = parsed.get(duration)
  if (known !== undefined) return known
  // `ms` throws for an empty text and for a very long one, and gives undefined for others that it cannot read.
  const value = /^.{1,40}$/.test(duration)
    ? (ms(duration as ms.StringValue) as number | undefined)
    : undefined
  if (value === undefined || !(value >= 0))
    throw new CacheError(
      'cache.bad-option',
      `${field}: "${duration}" is no duration; write for example '10m' or '250ms'`,
    )
  if (parsed.size >= maxParsed) parsed.clear()
  parsed.set(duration, value)
  return value
}
