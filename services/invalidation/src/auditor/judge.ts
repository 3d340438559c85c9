/**
 * Whether an answer is as fresh as a truth that was read before it was asked for.
 *
 * An answer that equals the truth is. One that differs is older only if nothing changed in between, or if versions say so;
 * where something changed and versions say nothing, nothing is known: the auditor never calls an answer wrong that may be
 * right.
 */
import type { Since, State } from './target.js'

export const verdicts = ['consistent', 'inconsistent', 'inconclusive', 'unanswered'] as const
export type Verdict = (typeof verdicts)[number]

export const isSame = (one: State, other: State): boolean =>
  one.isPresent === other.isPresent && one.digest === other.digest

/** Of an answer that differs from the truth. */
export function judge(truth: State, answer: State, since: Since): Verdict {
  switch (since) {
    case 'untouched':
      return 'inconsistent'
    case 'later':
      return 'consistent'
    case 'updated': {
      if (truth.version === undefined || answer.version === undefined) return 'inconclusive'
      // Of equal versions one is no version of the row: it does not say which is older.
      if (answer.version === truth.version) return 'inconclusive'
      return answer.version < truth.version ? 'inconsistent' : 'consistent'
    }
    case 'unknown':
      return 'inconclusive'
  }
}
