import type { Stamp, Token } from '@tidemark/tide'

import type { Duration } from './duration.js'
import type { Policy, PolicyOptions } from './policy.js'

/** What a loader of many keys is told. */
export interface BatchContext {
  /** Aborted when `hardTimeout` passes: nobody waits any more. */
  readonly signal: AbortSignal
  /** What the value will be stamped with; undefined while this process follows no log: it will not be stored. */
  readonly stamp: Stamp | undefined
}

/** What a loader is told, and what it can say of its value beside giving it. */
export interface LoadContext extends BatchContext {
  /** What is held of the key and may not be served, if anything: for a conditional request to the origin. */
  previous<T = unknown>(): Previous<T> | undefined
  /**
   * `return context.notModified()`: the previous value, as `previous` gave it, is still right. It is kept with a new stamp, a
   * new ttl, and the tags that it had, unless this load sets others.
   * @throws CacheError 'cache.load-failed' where there is no previous value
   */
  notModified(): never
  /** `return context.skip(value)`: the callers get it, and it is not stored. */
  skip<T>(value: T): T
  /** The load has failed: grace decides, as if it had thrown. @throws CacheError 'cache.load-failed' */
  fail(reason: string): never
  /** Keeps this value for so long, whatever the policy says. */
  setTtl(ttl: Duration | 'afloat'): void
  /** Tags that only the load reveals, beside those of the request. */
  setTags(tags: readonly string[]): void
  /** Kept with the value for the next conditional request: an entity tag, a date, a version. At most 1,024 characters. */
  setValidator(validator: string): void
}

export interface Previous<T> {
  readonly value: T
  readonly validator: string | undefined
  /** Wall clock, ms since 1970. */
  readonly loadedAtMs: number
}

/** What is asked of every answer; whatever is left out is taken from `policy`, then from the cache's own. */
export interface FreshnessOptions extends Omit<PolicyOptions, 'kind'> {
  readonly policy?: Policy
  /** The answer is at least as fresh as this; makes a `bounded` request a `session` one. */
  readonly token?: Token
}

/**
 * - `null` is a value: "there is none", kept for `negativeTtl`.
 * - `undefined` from a loader is an answer that is not stored.
 */
export interface ReadRequest<T> extends FreshnessOptions {
  readonly key: string
  /** What the value depends on: known beforehand, or only once the value is there. Default: nothing but its key. */
  readonly tags?: readonly string[] | ((value: T) => readonly string[])
  /** Tags that only the value reveals, beside `tags`. */
  readonly revealedTags?: (value: T) => readonly string[]
  /** Reads the origin. It is called at most once for each call of `getOrSet`, and shared where the law allows it. */
  readonly load: (context: LoadContext) => T | undefined | Promise<T | undefined>
}

export interface ReadManyRequest<T> extends FreshnessOptions {
  readonly keys: readonly string[]
  readonly tags?: (key: string) => readonly string[]
  /** Tags that only the value reveals, beside `tags`. */
  readonly revealedTags?: (value: T, key: string) => readonly string[]
  /** Reads the missing ones in one go; a key that the map leaves out is `undefined`: not stored. */
  readonly load: (
    missing: readonly string[],
    context: BatchContext,
  ) => ReadonlyMap<string, T> | Promise<ReadonlyMap<string, T>>
}
