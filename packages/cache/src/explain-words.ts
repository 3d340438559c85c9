/** An explanation in words: what the case is, and what would change it. */

import { isSameEpoch } from '@tidemark/tide'

import { duration } from './advice/units.js'
import type { Explanation, TierExplanation } from './explanation.js'

type Explained = Omit<Explanation, 'summary'>

/** Tags that are named before the rest is only counted. */
const maxNamed = 3

export function summaryOf(explained: Explained, nowWallMs: number): string {
  const { l1, l2, isLoading, isBypassed } = explained
  const sentences = [
    l1 === undefined ? 'Not in L1.' : `In L1: ${sayHeld(l1, explained, nowWallMs)}`,
    sayL2(explained, nowWallMs),
    isLoading ? 'A load is under way.' : undefined,
    isBypassed ? 'Loads leave L2 out for now, since its values sink before they are used.' : undefined,
    sayThreat(l1 ?? (typeof l2 === 'string' ? undefined : l2)),
  ]
  return sentences.filter((sentence) => sentence !== undefined).join(' ')
}

function sayL2(explained: Explained, nowWallMs: number): string {
  const { l2 } = explained
  if (l2 === 'none') return 'Not in L2.'
  return l2 === 'trouble' ? 'L2 could not be asked.' : `In L2: ${sayHeld(l2, explained, nowWallMs)}`
}

function sayHeld(tier: TierExplanation, explained: Explained, nowWallMs: number): string {
  const age = `loaded ${duration(Math.max(0, nowWallMs - tier.loadedAtMs))} ago in ${duration(tier.loadCostMs)}`
  const isServed = tier.verdict === 'afloat' && tier.ttlLeftMs > 0
  const end = isServed ? '' : sayGrace(tier)
  return `${sayState(tier, explained)}; ${age}${end}.`
}

function sayState(tier: TierExplanation, { follower }: Explained): string {
  if (tier.verdict === 'sunk') return `sunk, ${sayWhy(tier, follower.stamp)}`
  if (tier.ttlLeftMs === 0) return 'expired, though no change has touched it since it was loaded'
  if (tier.verdict === 'unproven')
    return `afloat but unproven: the log may be ${duration(follower.lagMs)} ahead, maxLag is ${duration(follower.maxLagMs)}`
  return `afloat, served for ${duration(tier.ttlLeftMs)} yet`
}

function sayWhy({ stamp, tags }: TierExplanation, now: Explanation['follower']['stamp']): string {
  if (now === undefined) return 'since no log is followed'
  if (stamp === undefined) return 'since it was loaded while no log was followed'
  if (!isSameEpoch(stamp.epoch, now.epoch)) return `since a new history, ${now.epoch.term}, has begun`
  const sank = tags.filter(({ hasSunkIt }) => hasSunkIt)
  const last = Math.max(...sank.map(({ floor }) => floor))
  return `since ${named(sank.map(({ tag }) => tag))} changed at position ${last} and it is of ${stamp.tidemark}`
}

const sayGrace = ({ graceLeftMs }: TierExplanation): string =>
  graceLeftMs > 0 ? `; served stale for ${duration(graceLeftMs)} yet where the origin fails` : ''

function sayThreat(tier: TierExplanation | undefined): string | undefined {
  if (tier === undefined || tier.verdict === 'sunk') return undefined
  return `A change of ${named(tier.tags.map(({ tag }) => tag))} would sink it.`
}

function named(tags: readonly string[]): string {
  const shown = tags.slice(0, maxNamed).join(', ')
  return tags.length <= maxNamed ? shown : `${shown} or ${tags.length - maxNamed} more`
}
