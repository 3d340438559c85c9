import type { Instant, Stamp, Token } from '@tidemark/tide'

import type { Found } from './found.js'

/** A value with its story. */
export interface Answer<T> {
  readonly value: T | undefined
  /** `stale`: it could not be loaded, and the policy's grace allows what was held. */
  readonly from: 'l1' | 'l2' | 'load' | 'stale'
  readonly stale: boolean
  /** Another call had begun the load that this one was answered by. */
  readonly shared: boolean
  /** Wall clock, ms since 1970. */
  readonly loadedAtMs: number
  readonly ageMs: number
  /** 0 or more. */
  readonly ttlLeftMs: number
  /** What the value depends on, also what its load revealed. */
  readonly tags: readonly string[]
  /** What the value is stamped with; undefined: loaded while adrift, and not stored. */
  readonly tidemark: Stamp | undefined
  /**
   * What the client may ask for next to never go back: whoever has reached it holds all that this value shows. Always
   * there at `session` and `strict`. At `bounded` it is there for what was just loaded, if Postgres gives one in time, and
   * for all else once the proof of lag has passed the moment at which this process got the value (a fraction of the bound
   * at most); until then it is undefined, and a client keeps the token it has.
   * Undefined for a stale answer.
   */
  readonly token: Token | undefined
  /** The token sent was of an older history: it counts as met, but what it stood for may be gone. */
  readonly historyLost: boolean
}

/** `sent`: the token that the request came with. */
export function answerOf<T>(
  { entry, from, shared, footing }: Found<T>,
  token: Token | undefined,
  now: Instant,
  sent: Token | undefined,
): Answer<T> {
  const stale = from === 'stale'
  return {
    value: entry.value,
    from,
    stale,
    shared,
    loadedAtMs: entry.loadedAtMs,
    ageMs: Math.max(0, now.wallMs - entry.loadedAtMs),
    ttlLeftMs: Math.max(0, entry.expiresAtMs - now.wallMs),
    tags: entry.tags,
    tidemark: entry.stamp,
    token: stale ? undefined : token,
    // A new epoch may have begun since the footing was found: the token given says so.
    historyLost: footing.historyLost || (sent !== undefined && token !== undefined && sent.term < token.term),
  }
}
