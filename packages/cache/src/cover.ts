import type { Token } from '@tidemark/tide'

import type { Found } from './found.js'
import { coveringToken, knownCover } from './levels.js'
import type { Tide } from './tide.js'

/** How long a `bounded` answer is held up for its token. */
const coverWaitMs = 100

/**
 * One token for all that is shown. Where the level promises one it is asked for, or there is no answer. A `bounded`
 * answer that was loaded just now gets one if Postgres, which gave the value, gives that too; it stays with the values.
 *
 * @throws CacheError 'cache.unavailable' where one is promised and cannot be had
 */
export async function coverOf(
  tide: Tide,
  shown: readonly Found<unknown>[],
  { isPromised, timeoutMs }: { isPromised: boolean; timeoutMs: number },
): Promise<Token | undefined> {
  const known = highest(tide, shown)
  if (known !== undefined || !(isPromised || shown.some(({ from }) => from === 'load'))) return known
  const seenAtMs = Math.max(0, ...shown.map(({ entry }) => entry.seenAtMs))
  const asking = coveringToken(tide, seenAtMs, isPromised ? timeoutMs : Math.min(timeoutMs, coverWaitMs))
  const token = await (isPromised ? asking : asking.catch(() => undefined))
  if (token !== undefined) for (const { entry } of shown) entry.cover = token
  return token
}

/** The highest of the tokens that cover each; undefined where one of them has none. */
function highest({ follower }: Tide, shown: readonly Found<unknown>[]): Token | undefined {
  return shown
    .map(({ entry }) => knownCover(follower, entry))
    .reduce((a, b) => (a && b ? (a.position > b.position ? a : b) : undefined), follower.token)
}
