/**
 * One loader among all processes.
 *
 * Whoever sets the lease key loads; the others look for its value in growing, jittered steps. Each look is also a claim:
 * when the holder has stored, they see the value; when it has died, has failed, or has stored what is of no use to them,
 * the lease is free and exactly one of them gets it. So a dead holder costs the others its lease time once, and no herd.
 * A load that was begun before a change that the claimant knows of is of no use to it: it takes such a lease over at once.
 * Waiting is bounded: past it a process loads without a lease, since an answer matters more than a saved load.
 */

import type { Schedule } from '../schedule.js'
import { pause } from '../schedule.js'
import type { Events } from '../events/events.js'
import type { Counters } from '../stats.js'
import type { Entry } from '../entry.js'
import type { Envelope } from '../l2/envelope.js'
import type { L2 } from '../l2/l2.js'
import type { Ask } from './ask.js'

const firstStepMs = 5
const longestStepMs = 100
const growth = 1.5

export type Turn =
  | { readonly kind: 'taken'; readonly entry: Entry } // another process's value
  | { readonly kind: 'owner'; readonly owner: string } // load, then give the lease back
  | { readonly kind: 'free' } // load without a lease

export interface LeaseParts {
  readonly l2: L2
  readonly schedule: Schedule
  readonly random: () => number
  readonly monoMs: () => number
  readonly counters: Counters
  readonly events: Events
  /** Another one with each call: term and tidemark as they are now, then what tells it from all others. */
  readonly newOwner: () => string
}

/** How long to wait for others, in leases: the holder may die, and so may the one after it. */
const patienceInLeases = 2

/** `take` makes an entry of what was found if the asking call may have it. */
export async function takeTurn(
  { l2, schedule, random, monoMs, counters, events, newOwner }: LeaseParts,
  { key, deadlineMs, floor, policy: { leaseMs } }: Pick<Ask, 'key' | 'deadlineMs' | 'floor' | 'policy'>,
  take: (envelope: Envelope) => Entry | undefined,
): Promise<Turn> {
  const giveUpAtMs = Math.min(deadlineMs, monoMs() + patienceInLeases * leaseMs)
  for (
    let stepMs = firstStepMs, isFirst = true;
    ;
    stepMs = Math.min(longestStepMs, stepMs * growth), isFirst = false
  ) {
    const owner = newOwner()
    const claim = await l2.claim(key, owner, leaseMs, floor)
    if (claim.kind === 'trouble') return { kind: 'free' }
    const entry = claim.envelope && take(claim.envelope)
    if (entry !== undefined) {
      if (claim.kind === 'owner') l2.release(key, owner)
      return { kind: 'taken', entry }
    }
    if (claim.kind === 'owner') {
      counters.leasesTaken++
      return { kind: 'owner', owner }
    }
    if (isFirst) counters.leaseWaits++
    if (isFirst) events.tell('lease-wait', { key })
    if (monoMs() >= giveUpAtMs) {
      counters.leaseGivenUp++
      events.tell('lease-given-up', { key })
      return { kind: 'free' }
    }
    await pause(schedule, stepMs * (0.5 + random()))
  }
}
