/**
 * What a request must know before anything is looked at, and what its answer may promise afterwards.
 *
 * Before: `session` waits until the follower has reached the token sent; `strict` first asks the log for its head, whose
 * token covers everything committed before the request, and reaches that. A follower that has reached such a head needs no
 * other proof of its lag. Where the log cannot be asked, only a load that begins now will do: the origin is the primary.
 * A head of an older term than is followed was given by a deposed primary: it proves nothing, as if nobody had answered.
 *
 * After: a freshly loaded value can hold changes that have no position yet, so the position applied does not cover it
 * until the proof of lag reaches past the end of its load. Until then a `bounded` answer, which promised no more, goes
 * without a token; for the others the head is asked. If that fails too, the answer is an error, not an answer without a
 * token: a client that keeps its older token could be shown an older value next, and "never goes back" is what it asked for.
 */

import type { Follower, Token } from '@tidemark/tide'
import { isCoveredBy } from '@tidemark/tide'

import { CacheError } from './cache-error.js'
import type { Entry } from './entry.js'
import type { Level, Policy } from './policy.js'
import type { Tide } from './tide.js'

export interface Footing {
  /** The follower has reached the head of the log as it was after the request came. */
  readonly isProven: boolean
  /** It could not be shown that the follower has reached what was asked for. */
  readonly isUnreachable: boolean
  readonly historyLost: boolean
}

export const plainFooting: Footing = { isProven: false, isUnreachable: false, historyLost: false }
const unreachable: Footing = { isProven: false, isUnreachable: true, historyLost: false }

/** A token makes a `bounded` request a `session` one. */
export const levelOf = (policy: Policy, token: Token | undefined): Level =>
  token !== undefined && policy.level === 'bounded' ? 'session' : policy.level

/** Whether the follower has applied what `token` stands for; no object is made. */
export function hasReached(follower: Follower, token: Token): boolean {
  const epoch = follower.epoch
  if (epoch === undefined || token.term > epoch.term) return false
  return token.term < epoch.term || token.position <= follower.applied
}

/** @throws CacheError 'cache.token-unknown' */
export async function findFooting(tide: Tide, policy: Policy, token: Token | undefined): Promise<Footing> {
  if (policy.level !== 'strict')
    return token === undefined ? plainFooting : await reach(tide, token, policy, false)
  const head = await tide.head(policy.tokenTimeoutMs).catch(() => undefined)
  if (head === undefined) return unreachable
  if (isDeposed(tide.follower, head)) return { ...unreachable, historyLost: isLost(tide.follower, token) }
  if (token !== undefined && !isCoveredBy(token, head)) throw unknownToken(token)
  const footing = await reach(tide, head, policy, true)
  return token !== undefined && token.term < head.term ? { ...footing, historyLost: true } : footing
}

async function reach(
  tide: Tide,
  token: Token,
  { tokenTimeoutMs }: Policy,
  isProof: boolean,
): Promise<Footing> {
  const { follower } = tide
  if (hasReached(follower, token))
    return { isProven: isProof, isUnreachable: false, historyLost: isLost(follower, token) }
  const outcome = await tide.reach(token, tokenTimeoutMs).catch(() => 'unreachable' as const)
  switch (outcome) {
    case 'reached':
      return { isProven: isProof, isUnreachable: false, historyLost: false }
    case 'history-lost':
      // What was committed before the request may be in the new history only, past what this head covered.
      return { isProven: false, isUnreachable: isProof, historyLost: true }
    case 'beyond-log':
      throw unknownToken(token)
    case 'unreachable':
      return unreachable
  }
}

/** The token for an answer that shows what was seen by `seenAtMs` (own monotonic clock). */
export async function coveringToken(tide: Tide, seenAtMs: number, timeoutMs: number): Promise<Token> {
  const known = coversAlready(tide.follower, seenAtMs)
  if (known !== undefined) return known
  try {
    const head = await tide.head(timeoutMs)
    if (!isDeposed(tide.follower, head)) return head
  } catch (cause) {
    throw uncovered(cause)
  }
  throw uncovered(undefined)
}

/** The follower's own token, once its proof of lag reaches past `seenAtMs`. */
function coversAlready(follower: Follower, seenAtMs: number): Token | undefined {
  const provenAt = follower.provenAt
  return provenAt !== undefined && provenAt.monoMs > seenAtMs ? follower.token : undefined
}

/**
 * The token for an answer that shows `entry`, from what is known here: the follower's own, once its proof of lag or the
 * position it has applied has passed what the value can hold, else the one that was asked for after its load. Undefined
 * where no position can be named that covers it.
 */
export function knownCover(
  follower: Follower,
  { seenAtMs, cover }: Pick<Entry, 'seenAtMs' | 'cover'>,
): Token | undefined {
  const own = coversAlready(follower, seenAtMs)
  if (own !== undefined || cover === undefined || cover.term !== follower.epoch?.term) return own
  return cover.position > follower.applied ? cover : follower.token
}

/** Whether `sent` is of an older history than the one followed: it counts as met. */
export const isLost = (follower: Follower, sent: Token | undefined): boolean =>
  sent !== undefined && sent.term < (follower.epoch?.term ?? 0)

/** Whether whoever gave `head` still lives in a history that has ended: a primary that does not know it is none. */
const isDeposed = (follower: Follower, head: Token): boolean => isLost(follower, head)

const uncovered = (cause: unknown): CacheError =>
  new CacheError('cache.unavailable', 'no token can be given that covers this answer', { cause })

const unknownToken = ({ term, position }: Token): CacheError =>
  new CacheError('cache.token-unknown', `the log has no position ${term}-${position}`)
