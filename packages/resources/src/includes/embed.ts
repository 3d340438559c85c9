import type { Resource, Row } from '../define-resource.js'
import type { Id } from '../id.js'
import type { Relation } from './relation.js'
import { relatedIds } from './shown-tags.js'
import type { View } from './view.js'

/** A related row as it is shown: null where the field is null, or names no row. */
export interface Embedded {
  readonly relation: Relation
  readonly row: Row | null
}

export type Embed = (row: Row) => readonly Embedded[]

/** The rows that exist, by id. */
export type FindRows = (resource: Resource, ids: readonly Id[]) => Promise<ReadonlyMap<Id, Row>>

/** Reads what `view` shows with `rows`, all relations at once; each row that several of `rows` name is asked for once. */
export async function readRelated({ relations }: View, rows: readonly Row[], find: FindRows): Promise<Embed> {
  const found = await Promise.all(
    relations.map(async (relation) => ({
      relation,
      rows: await find(relation.resource, relatedIds(relation, rows)),
    })),
  )
  return (row) =>
    found.map(({ relation, rows: related }) => ({
      relation,
      row: related.get(row[relation.field] as Id) ?? null,
    }))
}
