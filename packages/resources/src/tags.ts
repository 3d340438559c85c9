/**
 * What each kind of answer depends on.
 *
 * A list is a function of the set M of rows that pass *all* of its filters; sort, limit and cursor only choose from M.
 * Let a change turn `old` into `new` (one of them is missing for an insert or a delete).
 *   1. It alters the list only if `old` or `new` is in M: otherwise M is the same set of the same rows.
 *   2. A row in M has, for each filter f of the list, the list's value of f.
 *   3. The trigger tags each change with `name.f=value` for each facet and unique field f, of `old` and of `new`.
 * So whatever alters the list touches the tag of *every one* of its filters, and any one of them is enough. Carrying
 * more than one would be safe too and only sink the list more often: it would sink when any of them is touched. One is
 * chosen: a unique field if there is one (at most one row at a time has it), else the facet declared last, by the rule
 * that facets are declared from broad to narrow. Without filters, it is the list tag. All values carry `name!all`,
 * which stands for the tags of a bulk change.
 *
 * Step 3 is why facets and unique fields must be captured, both of them: see `captured`.
 */
import { allTag, entityTag, facetTag, listTag } from '@tidemark/tide'

import type { Id } from './id.js'
import type { ListQuery } from './list-query.js'
import type { Scalar } from './scalar.js'

export interface ResourceTags {
  /** One row, or the answer that there is none. */
  entity(id: Id): readonly string[]
  list(query: Pick<ListQuery, 'filters'>): readonly string[]
  /** The row with this value of a unique field, or the answer that there is none. */
  unique(field: string, value: Scalar): readonly string[]
}

export function createTags(
  tagName: string,
  facets: readonly string[],
  unique: readonly string[],
): ResourceTags {
  const all = allTag(tagName)
  const narrowestFirst = [...unique, ...facets.toReversed()]
  return {
    entity: (id) => [entityTag(tagName, id), all],
    list({ filters }) {
      const field = narrowestFirst.find((name) => filters[name] !== undefined)
      return [field === undefined ? listTag(tagName) : facetTag(tagName, field, filters[field]!), all]
    },
    unique: (field, value) => [facetTag(tagName, field, value), all],
  }
}
