/**
 * What the auditor needs of a cache to audit it: keys to look at, what the cache answers, and what the origin holds,
 * read without the cache. One implementation asks our own readers (`tidemark-target`), another any two URLs (`http-target`).
 */

/** A value, as far as it is compared. */
export interface State {
  /** False: there is none, and both sides say so. */
  readonly isPresent: boolean
  /** Equal for equal values, and for those alone. */
  readonly digest: string
  /** Rises with each change of the value; undefined: it has no such number. */
  readonly version: number | undefined
}

/** What the origin held at one moment. */
export interface Truth {
  readonly state: State
  /** Which moment, in the target's own words; for people. */
  readonly place: string
}

export interface Answer {
  readonly status: number
  /** Undefined: an answer that shows no value, such as an error. */
  readonly state: State | undefined
  /** What it says of its own freshness. */
  readonly headers: Readonly<Record<string, string>>
  /** Longest by which it may trail the origin, by its own word; undefined: it promises nothing. */
  readonly promisedMs: number | undefined
}

/**
 * What has happened to a key between a truth and an answer.
 * - `untouched`: nothing; an answer that differs from the truth is wrong
 * - `updated`: its value was changed and kept its identity, so that of two versions the higher one is later
 * - `later`: the answer shows what came after the truth
 * - `unknown`: none of these can be shown
 */
export type Since = 'untouched' | 'updated' | 'later' | 'unknown'

export interface AuditTarget {
  readonly name: string
  /** A key that is worth a look; undefined: none for now. */
  sample(): Promise<string | undefined>
  truth(key: string, signal: AbortSignal): Promise<Truth>
  /** What an ordinary client is answered. */
  answer(key: string, signal: AbortSignal): Promise<Answer>
  /** Asked after an answer that differs from the truth. Whatever the answer can show must have been looked at: in doubt `unknown`. */
  since(key: string, truth: Truth, answer: State, signal: AbortSignal): Promise<Since>
  /** What happened to the key around the truth, and who served; for people. */
  history?(key: string, truth: Truth, signal: AbortSignal): Promise<unknown>
}
