/**
 * What an answer depends on by the rows that it embeds.
 *
 * Let an answer show rows R of a resource and, by a field f, the related row of each. It is a function of R and of the
 * target's rows whose key is in K = { r.f | r in R, r.f not null }: what is shown of a key is its row, or null.
 *   1. A change of R is the business of the tags of R: the entity tag of a row holds its f too.
 *   2. A change of a target's row with key k alters the answer only if k is in K, and touches `target:k`: the trigger
 *      names the key of the old row and of the new one, so also where there was no row, and where there is none left.
 * So the answer carries `target:k` for each k in K, also of those without a row.
 *
 * K is known once R has been read, and R and the related rows are read by several queries, so these tags are revealed by
 * the load. A change that comes between the queries has a position above the tidemark, which was taken before the first
 * of them, and touches the tag of a key that was read before or after it: the value has sunk when it is stored.
 *
 * Past a limit one tag stands for all of K: `target`, the list tag, which *every* change of a single row touches. The
 * answer then sinks with any of them, which is more often than it must, and never less.
 */
import type { Row } from '../define-resource.js'
import type { Id } from '../id.js'
import type { Relation } from './relation.js'

/**
 * Most related rows of one relation that are named one by one. A default page is below it; a tag costs 40 bytes in memory
 * and a comparison after each change.
 */
export const shownTagsMax = 64

/** Beside the tags of `rows` themselves. Empty where no row has a key in the relations' fields. */
export function shownTags(relations: readonly Relation[], rows: readonly Row[]): readonly string[] {
  const tags = new Set<string>()
  for (const relation of relations) {
    const { tags: of } = relation.resource
    const ids = relatedIds(relation, rows)
    const needed = ids.length > shownTagsMax ? of.list({ filters: {} }) : ids.flatMap((id) => of.entity(id))
    for (const tag of needed) tags.add(tag)
  }
  return [...tags]
}

/** The keys of the related rows, each once. */
export function relatedIds({ field }: Relation, rows: readonly Row[]): readonly Id[] {
  return [...new Set(rows.map((row) => row[field] as Id | null))].filter((id) => id !== null)
}
