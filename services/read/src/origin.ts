/**
 * Reading the origin for one resource.
 *
 * What several requests miss in one turn of the event loop is one query. It begins after each of them took its
 * tidemark, so the fence holds for each; nothing is remembered between turns.
 */
import DataLoader from 'dataloader'
import type { Database } from '@tidemark/database'
import type { Id, ListQuery, Representation, Resource } from '@tidemark/resources'
import { batchLimit, prismaReader, represent, representList } from '@tidemark/resources'

export interface Origin {
  /** Null: there is no such row. */
  one(id: Id): Promise<Representation | null>
  /** Every id has an answer. */
  many(ids: readonly Id[]): Promise<Map<Id, Representation | null>>
  list(query: ListQuery): Promise<Representation>
}

export function createOrigin(resource: Resource, database: Database): Origin {
  const reader = prismaReader(resource, () => database.prisma)
  const rows = new DataLoader<Id, Representation | null>(
    async (ids) => {
      const found = await reader.findMany([...new Set(ids)])
      return ids.map((id) => {
        const row = found.get(id)
        return row === undefined ? null : represent(resource, row)
      })
    },
    { cache: false, maxBatchSize: batchLimit },
  )
  return {
    one: (id) => rows.load(id),
    async many(ids) {
      const loaded = await Promise.all(ids.map((id) => rows.load(id)))
      return new Map(ids.map((id, index) => [id, loaded[index]!]))
    },
    list: async (query) => representList(resource, await reader.list(query)),
  }
}
