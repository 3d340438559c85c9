import type { Epoch, Follower, Instant, TagPlaces } from '@tidemark/tide'

import type { ImplicitTags } from '../implicit-tags.js'
import type { Footing } from '../levels.js'
import type { Policy } from '../policy.js'
import type { Tide } from '../tide.js'
import type { Origin } from './origin.js'

/** What a request asks for, with its words parsed. */
export interface Question<T> {
  readonly key: string
  /** This call's own words included. */
  readonly policy: Policy
  /** Without them: what an entry that it fills is held under. */
  readonly standing: Policy
  readonly tags: readonly string[]
  /** Tags that the value reveals, beside `tags`; undefined: there are none. */
  readonly reveal: ((value: T) => readonly string[]) | undefined
  readonly origin: Origin<T>
}

/** One call for one key that L1 could not answer: what it needs, and what was known when it asked. */
export interface Ask<T = unknown> extends Question<T> {
  /** When it first asked; its promises count from here. */
  readonly at: Instant
  /** Own monotonic clock. */
  readonly deadlineMs: number
  readonly footing: Footing
  /** What is held cannot be shown to be fresh enough for this call: it must come from the origin. */
  readonly mustLoad: boolean
  /** Of `tags` and of the implicit ones. */
  readonly places: TagPlaces
  /** The floor over `tags` as this process knew it when the call asked, and in which epoch. */
  readonly floor: number
  readonly epoch: Epoch | undefined
}

/** `question`, asked at `at`. */
export function askOf<T>(
  { key, policy, standing, tags, reveal, origin }: Question<T>,
  footing: Footing,
  at: Instant,
  { tide: { follower }, implicit }: { readonly tide: Tide; readonly implicit: ImplicitTags },
): Ask<T> {
  const places = implicit.locate(key, tags)
  return {
    key,
    policy,
    standing,
    at,
    deadlineMs: at.monoMs + policy.hardTimeoutMs,
    footing,
    mustLoad: isBlind(follower, footing, policy, at),
    tags,
    places,
    floor: follower.table.floorAt(places),
    epoch: follower.epoch,
    reveal,
    origin,
  }
}

/** Nothing held counts for a call on this footing: the follower cannot show its lag, or follows nothing. */
const isBlind = (follower: Follower, footing: Footing, policy: Policy, now: Instant): boolean =>
  follower.epoch === undefined ||
  footing.isUnreachable ||
  (!footing.isProven && follower.lagMs(now) > policy.maxLagMs)
