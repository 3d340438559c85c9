/**
 * Stores of other makes name things like paths, `users:42:name`, and clear a branch of them at once. So each value carries
 * a tag for every branch that it lies on, `users:` and `users:42:`, and clearing one is one change in the log, whatever
 * lies on it and however many processes hold it.
 *
 * The tags name the cache, since tags are shared by all caches that follow a log.
 */

import type { Cache } from '../cache.js'
import { bad } from '../options.js'

/** Branches of one key that can be cleared; a key may go deeper, and its deeper branches cannot. */
const maxDepth = 16

/** `branch` ends with a colon. */
export const branchTag = ({ namespace }: Cache, branch: string): string => `!${namespace}/${branch}`

export function branchTags(cache: Cache, key: string): string[] {
  const tags: string[] = []
  for (let at = key.indexOf(':'); at >= 0 && tags.length < maxDepth; at = key.indexOf(':', at + 1))
    tags.push(branchTag(cache, key.slice(0, at + 1)))
  return tags
}

/** Sinks what lies on `branch`; the root, `''`, is everything. @throws CacheError 'cache.bad-option' where it is too deep */
export async function clearBranch(cache: Cache, branch: string): Promise<void> {
  if (branch === '') await cache.clear()
  else if (branchTags(cache, branch).includes(branchTag(cache, branch)))
    await cache.invalidate([branchTag(cache, branch)], 'clear')
  else throw bad(`clear: "${branch}" does not end with ':' within ${maxDepth} levels`)
}
