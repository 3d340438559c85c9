/**
 * A position is an integer, dense, given by Postgres when committed changes are sequenced. Positions stay below
 * 2^53, so a JavaScript number holds them exactly.
 */

/** One unbroken history of the log. A larger `term` is a later history; `nonce` tells two histories of one term apart. */
export interface Epoch {
  readonly term: number
  readonly nonce: number
}

/** A place in the log that cannot be mistaken for another: the position and the random mark stored with it. */
export interface Link {
  readonly position: number
  readonly mark: number
}

/** One position of the log as it is shipped: its own link, the mark of the position before it, and the tags it touches. */
export interface Step extends Link {
  readonly epoch: Epoch
  readonly previousMark: number
  readonly tags: readonly string[]
}

/** What a value carries: the position its reader had applied before it began to read the origin, and in which epoch. */
export interface Stamp {
  readonly epoch: Epoch
  readonly tidemark: number
}

export const isSameEpoch = (a: Epoch, b: Epoch): boolean => a.term === b.term && a.nonce === b.nonce

export const isSameLink = (a: Link, b: Link): boolean => a.position === b.position && a.mark === b.mark
