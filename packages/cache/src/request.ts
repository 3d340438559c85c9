import type { Stamp, Token } from '@tidemark/tide'

import type { Policy, PolicyOptions } from './policy.js'

/** What a loader is told. */
export interface LoadContext {
  /** Aborted when `hardTimeout` passes: nobody waits any more. */
  readonly signal: AbortSignal
  /** What the value will be stamped with; undefined while this process follows no log: it will not be stored. */
  readonly stamp: Stamp | undefined
}

/** What is asked of every answer; whatever is left out is taken from `policy`, then from the cache's own. */
interface Freshness extends PolicyOptions {
  readonly policy?: Policy
  /** The answer is at least as fresh as this; makes a `bounded` request a `session` one. */
  readonly token?: Token
}

/**
 * - `null` is a value: "there is none", kept for `negativeTtl`.
 * - `undefined` from a loader is an answer that is not stored.
 */
export interface ReadRequest<T> extends Freshness {
  readonly key: string
  /** What the value depends on: known beforehand, or only once the value is there. Default: nothing but `*`. */
  readonly tags?: readonly string[] | ((value: T) => readonly string[])
  /** Reads the origin. It is called at most once for each call of `getOrSet`, and shared where the law allows it. */
  readonly load: (context: LoadContext) => T | undefined | Promise<T | undefined>
}

export interface ReadManyRequest<T> extends Freshness {
  readonly keys: readonly string[]
  readonly tags?: (key: string) => readonly string[]
  /** Tags that only the value reveals, beside `tags`. */
  readonly revealedTags?: (value: T, key: string) => readonly string[]
  /** Reads the missing ones in one go; a key that the map leaves out is `undefined`: not stored. */
  readonly load: (
    missing: readonly string[],
    context: LoadContext,
  ) => ReadonlyMap<string, T> | Promise<ReadonlyMap<string, T>>
}
