/**
 * What must hold whatever happened, told from the world's own knowledge:
 *
 * 1. An afloat value contains every change to its tags that stands at or below `applied` in the follower's history.
 * 2. It contains no change that this history does not have.
 * 3. It contains every change that committed before the follower's proof, and, within a bound of lag, every change
 *    that committed before that bound.
 * 4. A verdict does not change while the revision stands.
 */
import type { Commit, Origin } from './origin.js'
import { positionIn } from './origin.js'
import type { Held, Reader, Value } from './reader.js'

export const maxLagMs = 400

const touches = (commit: Commit, value: Value): boolean =>
  commit.tags.some((tag) => tag === '*' || value.tags.includes(tag))

const contains = (value: Value, commit: Commit): boolean =>
  commit.tick < value.tick && (commit.lost === undefined || commit.lost.tick > value.tick)

/** The verdict on what the reader would serve; throws where serving it would break the promise. */
export function judge(
  reader: Reader,
  held: Held,
  origin: Origin,
  worldMs: number,
): 'sunk' | 'unproven' | 'afloat' {
  const { follower } = reader
  const { value } = held
  const isAfloat = follower.isAfloat(value.stamp, held.places)
  if (held.revision === follower.revision && !isAfloat)
    throw new Error(`afloat at revision ${held.revision} and sunk at the same revision`)
  if (!isAfloat) return 'sunk'
  held.revision = follower.revision
  const verdict = follower.verdict(value.stamp, held.places, maxLagMs, reader.now(worldMs))
  const { provenAt } = follower
  const provenMs = provenAt === undefined ? -Infinity : reader.trueMs.get(provenAt)!
  const promisedMs = verdict === 'afloat' ? Math.max(provenMs, worldMs - maxLagMs) : provenMs
  const { term } = follower.epoch!
  for (const commit of origin.commits) {
    if (!touches(commit, value)) continue
    const say = (law: string) =>
      new Error(
        `${law}: ${JSON.stringify({ value, commit, applied: follower.applied, term, provenMs, worldMs })}`,
      )
    const position = positionIn(commit, term)
    if (contains(value, commit)) {
      if (commit.lost !== undefined && commit.lost.lastTerm < term)
        throw say('contains a change that was lost')
    } else {
      if (position !== undefined && position <= follower.applied) throw say('older than the position applied')
      if (commit.lost === undefined && commit.atMs < promisedMs) throw say('older than the proof of lag')
    }
  }
  return verdict
}
