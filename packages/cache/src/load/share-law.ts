/**
 * What a call may be answered with that it did not load itself.
 *
 * A call that asked when this process had applied r is answered rightly by any value that equals the origin as of r or
 * newer. Two things give that:
 *
 * - The value is afloat now: no change up to what is applied now touched its tags since its stamp.
 * - Its stamp is at or above the floors of *all* its tags as they were when the call asked: no change up to r did. Floors
 *   that have risen since do not matter to this call, which is why a hot key under constant writes is still shared.
 *
 * Tags that only the value reveals had no floor noted when the call asked, so for them only "afloat now" will do. A load
 * that begins after the call first asked answers it whatever the floors say, as it answers the call that began it: this
 * also holds for a call that has joined one load in vain, or a hot key would end in a load for each of them. A blind follower does not know what was
 * committed; but a load that began at most `maxLag` ago read all that `bounded` promises, by the clock alone.
 */

import type { Follower, Instant, Stamp, TagPlaces } from '@tidemark/tide'
import { elapsedMs, isSameEpoch } from '@tidemark/tide'

import type { Ask } from './ask.js'
import type { Running } from './running.js'

export function mayJoin(running: Running, ask: Ask, follower: Follower): boolean {
  if (running.beganAt === undefined) return running.isSureToLoad || !ask.mustLoad
  if (ask.footing.isUnreachable) return false
  if (ask.epoch !== undefined && !isAtOrAboveFloors(running.stamp, ask, follower)) return false
  return !ask.mustLoad || elapsedMs(running.beganAt, ask.at) <= ask.policy.maxLagMs
}

/** Not after `ask` first asked, as far as the clock can tell. */
export const hasBegunBefore = ({ beganAt }: Running, { at }: Ask): boolean =>
  beganAt !== undefined && beganAt.monoMs <= at.monoMs

export interface Held {
  readonly stamp: Stamp | undefined
  readonly tags: readonly string[]
  readonly places: TagPlaces
  readonly expiresAtMs: number
}

export type Verdict = 'may' | 'expired' | 'sunk' | 'unproven'

/** Whether `ask` may be answered with a value that somebody else has loaded and stored. */
export function mayTake(held: Held, ask: Ask, follower: Follower, now: Instant): Verdict {
  if (held.stamp === undefined) return 'sunk'
  if (!follower.isAfloat(held.stamp, held.places)) {
    const isCovered = ask.reveal === undefined && held.tags.every((tag) => ask.tags.includes(tag))
    if (!isCovered || !isAtOrAboveFloors(held.stamp, ask, follower)) return 'sunk'
  }
  if (now.wallMs >= held.expiresAtMs) return 'expired'
  return isProvenFor(ask, follower, now) ? 'may' : 'unproven'
}

/** Whether `ask`, having joined a load that had begun, may keep what came of it. */
export function mayKeep(loaded: Held, ask: Ask, follower: Follower): boolean {
  if (ask.epoch === undefined) return ask.reveal === undefined
  if (loaded.stamp === undefined) return false
  if (ask.reveal === undefined && loaded.tags.every((tag) => ask.tags.includes(tag)))
    return isAtOrAboveFloors(loaded.stamp, ask, follower)
  return follower.isAfloat(loaded.stamp, loaded.places)
}

const isProvenFor = (ask: Ask, follower: Follower, now: Instant): boolean =>
  !ask.mustLoad && (ask.footing.isProven || follower.lagMs(now) <= ask.policy.maxLagMs)

/** Of one history with the asker, which is still the follower's, and no change that the asker knew of is missing. */
function isAtOrAboveFloors(stamp: Stamp | undefined, ask: Ask, follower: Follower): boolean {
  if (stamp === undefined || ask.epoch === undefined || follower.epoch === undefined) return false
  return (
    isSameEpoch(stamp.epoch, ask.epoch) &&
    isSameEpoch(ask.epoch, follower.epoch) &&
    stamp.tidemark >= ask.floor
  )
}
