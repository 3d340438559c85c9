/**
 * What an answer shows: rows of one resource, each with the related rows that were asked for.
 *
 * An answer keeps the promises of all its parts, so its policy is the strictest of theirs, and who may read it may read
 * each of them.
 */
import { z } from 'zod'

import type { Resource, Row } from '../define-resource.js'
import type { CachePolicy } from '../policy.js'
import { strictest } from '../policy.js'
import type { Relation } from './relation.js'
import { shownTags } from './shown-tags.js'

export interface View {
  readonly resource: Resource
  /** What is embedded, by name. */
  readonly relations: readonly Relation[]
  readonly cache: CachePolicy
  /** Scopes, all of which a reader needs. */
  readonly readScopes: readonly string[]
  /** What the answer depends on beside the tags of its resource; known once `rows` have been read. */
  shownTags(rows: readonly Row[]): readonly string[]
}

export function createView(resource: Resource, relations: readonly Relation[]): View {
  const parts = [resource, ...relations.map((relation) => relation.resource)]
  return {
    resource,
    relations,
    cache: parts.map(({ cache }) => cache).reduce(strictest),
    readScopes: [...new Set(parts.flatMap(({ access }) => access.read))],
    shownTags: (rows) => shownTags(relations, rows),
  }
}

/** The row as documented: with whatever it can be shown with. */
export function shownSchema({ schemas }: Resource, relations: readonly Relation[]): z.ZodObject {
  const embedded = relations.map(({ name, field, resource }) => [
    name,
    resource.schemas.row
      .nullable()
      .optional()
      .describe(`With include=${name}: the row that ${field} names; null where there is none.`),
  ])
  return schemas.row.extend(Object.fromEntries(embedded) as z.ZodRawShape)
}
