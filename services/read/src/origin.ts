/**
 * Reading the origin.
 *
 * What several requests miss in one turn of the event loop is one query. It begins after each of them took its
 * tidemark, so the fence holds for each; nothing is remembered between turns. Related rows are read by queries of their
 * own, after the rows that name them and so after the tidemark too; what changes in between sinks the value by the tags
 * that come with it. They are never taken from the cache: what is held there is older than the tidemark.
 */
import DataLoader from 'dataloader'
import type { Database } from '@tidemark/database'
import type { Id, ListQuery, Registry, Representation, Resource, Row, View } from '@tidemark/resources'
import { batchLimit, prismaReader, readRelated, represent, representList } from '@tidemark/resources'

/** What was read, and what it depends on beside the tags of its own resource. */
export interface Loaded<T> {
  readonly value: T
  readonly shownTags: readonly string[]
}

export interface Origin {
  /** Null: there is no such row. */
  one(view: View, id: Id): Promise<Loaded<Representation | null>>
  /** Every id has an answer. */
  many(view: View, ids: readonly Id[]): Promise<Map<Id, Loaded<Representation | null>>>
  list(view: View, query: ListQuery): Promise<Loaded<Representation>>
}

export function createOrigin({ all }: Registry, database: Database): Origin {
  const readers = new Map(all.map((resource) => [resource, prismaReader(resource, () => database.prisma)]))
  const loaders = new Map(all.map((resource) => [resource, rowLoader(readers.get(resource)!.findMany)]))

  const find = async (resource: Resource, ids: readonly Id[]): Promise<Map<Id, Row>> => {
    const rows = await Promise.all(ids.map((id) => loaders.get(resource)!.load(id)))
    return new Map(ids.flatMap((id, index) => (rows[index] == null ? [] : [[id, rows[index]]])))
  }

  const many = async (view: View, ids: readonly Id[]): Promise<Map<Id, Loaded<Representation | null>>> => {
    const rows = await find(view.resource, ids)
    const embed = await readRelated(view, [...rows.values()], find)
    const loaded = (row: Row | undefined): Loaded<Representation | null> =>
      row === undefined
        ? { value: null, shownTags: [] }
        : { value: represent(view.resource, row, embed(row)), shownTags: view.shownTags([row]) }
    return new Map(ids.map((id) => [id, loaded(rows.get(id))]))
  }

  return {
    many,
    one: async (view, id) => (await many(view, [id])).get(id)!,
    async list(view, query) {
      const page = await readers.get(view.resource)!.list(query)
      const embed = await readRelated(view, page.rows, find)
      return {
        value: representList(view.resource, page, embed),
        shownTags: view.shownTags(page.rows),
      }
    },
  }
}

type FindMany = (ids: readonly Id[]) => Promise<Map<Id, Row>>

function rowLoader(findMany: FindMany): DataLoader<Id, Row | null> {
  return new DataLoader(
    async (ids) => {
      const found = await findMany([...new Set(ids)])
      return ids.map((id) => found.get(id) ?? null)
    },
    { cache: false, maxBatchSize: batchLimit },
  )
}
