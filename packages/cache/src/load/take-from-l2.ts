import type { Instant } from '@tidemark/tide'

import type { Advisor } from '../advice/advisor.js'
import type { Entry } from '../entry.js'
import type { Events } from '../events/events.js'
import type { Holdings } from '../holdings.js'
import type { Envelope } from '../l2/envelope.js'
import type { Counters } from '../stats.js'
import type { Tide } from '../tide.js'
import type { Ask } from './ask.js'
import { mayTake } from './share-law.js'

export interface TakeParts {
  readonly tide: Tide
  readonly now: () => Instant
  readonly holdings: Holdings
  readonly counters: Counters
  readonly events: Events
  readonly advisor: Advisor
}

/** What L2 held, if it is for this call; then L1 has it too. */
export type Take = <T>(envelope: Envelope, ask: Ask<T>) => Entry<T> | undefined

export function takeFromL2({ tide, now, holdings, counters, events, advisor }: TakeParts): Take {
  const refused = (verdict: 'sunk' | 'expired' | 'unproven', { key, policy }: Ask, at: Instant): void => {
    const { kind, maxLagMs } = policy
    if (verdict !== 'unproven') {
      events.tell(verdict, { key, kind, tier: 'l2', uses: 0 })
      return
    }
    const lagMs = tide.follower.lagMs(at)
    advisor.unproven(policy, lagMs)
    events.tell(verdict, { key, kind, tier: 'l2', lagMs, maxLagMs })
  }

  return <T>(envelope: Envelope, ask: Ask<T>): Entry<T> | undefined => {
    const at = now()
    const sighted = holdings.sight(envelope, ask as Ask, at)
    const verdict = mayTake(sighted, ask as Ask, tide.follower, at)
    if (verdict !== 'may') {
      counters[verdict]++
      refused(verdict, ask as Ask, at)
      return undefined
    }
    const entry = holdings.open(sighted, envelope) as Entry<T> | undefined
    if (entry === undefined) return undefined
    counters.hitsL2++
    advisor.took(ask.key, entry, at.monoMs)
    if (events.isHeard('hit-l2')) events.tell('hit-l2', { key: ask.key, kind: ask.policy.kind })
    holdings.refill(ask.key, entry)
    return entry
  }
}
