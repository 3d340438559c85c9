import { isSameEpoch } from '@tidemark/tide'

import type { Change } from '../entry.js'
import type { ObservedFollower } from '../follow/observed-follower.js'
import type { Numbered } from './numbering.js'

/**
 * Applies a link that this process has published, if it continues what is followed; else the stream brings it, in its
 * turn. Never from another epoch: only the connection that the stream is read from may lead the follower there.
 */
export function takeOwn(
  observed: ObservedFollower,
  { epoch, link, previousMark }: Numbered,
  tags: readonly string[],
  changes: readonly Change[],
): void {
  const { follower } = observed
  if (follower.epoch === undefined || !isSameEpoch(follower.epoch, epoch)) return
  if (previousMark !== follower.link.mark || link.position !== follower.applied + 1) return
  const sequencedAt = changes[0]?.changedAt ?? 0
  observed.apply({ ...link, epoch, previousMark, tags, changes, isAbridged: false, sequencedAt })
}
