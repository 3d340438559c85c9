/**
 * Whether a change is one that a hook wants to hear of.
 *
 * A change may be told as less than it is: one over many rows touches only `product!all`, and stands for each row, list and
 * facet of the resource. So a filter lets pass whatever *may* have changed what it asks for.
 */
import type { Change } from '@tidemark/log'
import { allTag, everything, resourceOf } from '@tidemark/tide'
import type { ChangeFilter } from './hook.js'

export function wants({ resources, tags }: ChangeFilter, change: Change): boolean {
  if (change.tags.includes(everything)) return true
  if (resources && !resources.some((resource) => concerns(change, resource))) return false
  return !tags || tags.some((tag) => touching(tag).some((touched) => change.tags.includes(touched)))
}

/** External invalidations name no resource; their tags do. */
const concerns = ({ resource, tags }: Change, name: string): boolean =>
  resource === name || tags.some((tag) => resourceOf(tag) === name)

/** The tags that stand for `tag` too. A cache's own `!namespace` stands for each `!namespace:key`. */
function touching(tag: string): string[] {
  const resource = resourceOf(tag)
  if (resource !== undefined) return [tag, allTag(resource)]
  return tag.startsWith('!') ? [tag, tag.split(':', 1)[0]!] : [tag]
}
