/**
 * Reading rows of any resource through Prisma.
 *
 * Pages are cut by key set, never by offset: the page after place (v, k) holds the rows with (sort value, key) beyond
 * (v, k), in the order of (sort value, key), which is total because keys differ. So a walk meets every row that stays,
 * exactly once, whatever is inserted or deleted meanwhile; only a row whose own sort value moves can be met twice or
 * not at all. Prisma has no row comparison, so the condition is written as `s >= v AND (s > v OR k > key)`: the same
 * set, and the first half lets Postgres enter an index at v.
 */
import { formatCursor } from '../cursor.js'
import type { Resource, Row } from '../define-resource.js'
import { ResourceError } from '../errors.js'
import type { Id } from '../id.js'
import type { ListQuery, Place } from '../list-query.js'
import type { ListPage } from '../representation.js'
import type { Scalar } from '../scalar.js'
import { delegateOf, selectOf } from './delegate.js'

/** Most ids in one call. */
export const batchLimit = 500

export interface ResourceReader {
  /** The rows that exist, by id. Throws `resource.batch` for more than {@link batchLimit} ids. */
  findMany(ids: readonly Id[]): Promise<Map<Id, Row>>
  list(query: ListQuery): Promise<ListPage>
}

/**
 * `client` gives the Prisma client, or the transaction, to read with; it is asked at each call, because a pool is renewed
 * when the log begins a new term.
 */
export function prismaReader(resource: Resource, client: () => object): ResourceReader {
  const select = selectOf(resource)
  const key = resource.key.name
  return {
    async findMany(ids) {
      if (ids.length > batchLimit) {
        throw new ResourceError('resource.batch', resource.name, [
          { field: 'ids', message: `${ids.length} are more than ${batchLimit}` },
        ])
      }
      if (ids.length === 0) return new Map()
      const rows = await delegateOf(client(), resource).findMany({
        where: { [key]: { in: [...ids] } },
        select,
      })
      return new Map(rows.map((row) => [resource.idOf(row), row]))
    },

    async list(query) {
      const { filters, sort, limit, after } = query
      const direction = sort.isDescending ? 'desc' : 'asc'
      const orderBy =
        sort.field === key ? [{ [key]: direction }] : [{ [sort.field]: direction }, { [key]: direction }]
      const where = after === undefined ? filters : { AND: [filters, beyond(resource, query, after)] }
      const found = await delegateOf(client(), resource).findMany({ where, orderBy, take: limit + 1, select })
      const rows = found.slice(0, limit)
      const last = found.length > limit ? rows.at(-1) : undefined
      return {
        rows,
        nextCursor: last === undefined ? null : formatCursor(query, placeOf(resource, query, last)),
      }
    },
  }
}

function beyond({ key, fields }: Resource, { sort }: ListQuery, { value, id }: Place): object {
  const than = sort.isDescending ? 'lt' : 'gt'
  const beyondKey = { [key.name]: { [than]: id } }
  if (sort.field === key.name) return beyondKey
  const bound = fields.get(sort.field)!.kind === 'date' ? new Date(value as string) : value
  return { [sort.field]: { [`${than}e`]: bound }, OR: [{ [sort.field]: { [than]: bound } }, beyondKey] }
}

function placeOf(resource: Resource, { sort }: ListQuery, row: Row): Place {
  const value = row[sort.field]
  return {
    value: value instanceof Date ? value.toISOString() : (value as Scalar),
    id: resource.idOf(row),
  }
}
