/**
 * Which changes somebody wants to hear of: a subscriber of the feed, a webhook.
 *
 * A filter may tell too much, never too little: what a subscriber derived from rows of category 7 may be altered by a
 * change of `product.categoryId=7`, and by one of everything there is about products (`product!all`: bulk statements,
 * TRUNCATE, DDL) or at all (`*`).
 */
import { allTag, everything, resourceOf } from '@tidemark/tide'

import type { Change } from '../entry.js'

/** Both given: a change is told that fits both. */
export interface ChangeFilter {
  /** Names in tags; empty or left out: of all. */
  readonly resources?: readonly string[] | undefined
  /** Empty or left out: whatever the change touched. */
  readonly tags?: readonly string[] | undefined
}

/** Undefined where the filter lets everything pass. */
export function passing({
  resources = [],
  tags = [],
}: ChangeFilter): ((change: Change) => boolean) | undefined {
  const wanted = new Set(tags.flatMap(touchedWith))
  const isOf = (change: Change): boolean =>
    resources.length === 0 ||
    resources.includes(change.resource) ||
    change.tags.some((tag) => tag === everything || resources.includes(resourceOf(tag) ?? ''))
  const isTouched = (change: Change): boolean =>
    wanted.size === 0 || change.tags.some((tag) => wanted.has(tag))
  if (resources.length === 0 && wanted.size === 0) return undefined
  return (change) => isOf(change) && isTouched(change)
}

/** The tags that, when touched, touch `tag` too. The cache's own `!namespace` stands for each `!namespace:key`. */
function touchedWith(tag: string): readonly string[] {
  const resource = resourceOf(tag)
  const colons = tag.startsWith('!') ? [...tag.matchAll(/:/g)].map(({ index }) => index) : []
  return [
    tag,
    everything,
    ...(resource === undefined ? [] : [allTag(resource)]),
    ...colons.map((index) => tag.slice(0, index)),
  ]
}
