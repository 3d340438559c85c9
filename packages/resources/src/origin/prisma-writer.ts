import type { Resource, Row } from '../define-resource.js'
import type { Id } from '../id.js'
import { delegateOf, selectOf } from './delegate.js'

export type Updated =
  | { readonly kind: 'updated'; readonly row: Row }
  | { readonly kind: 'missing' }
  /** The row exists in another version than the one expected. */
  | { readonly kind: 'conflict'; readonly row: Row }

export type Deleted = Exclude<Updated, { kind: 'updated' }> | { readonly kind: 'deleted' }

/**
 * Commands on one resource. `tx` is the Prisma transaction of the request, so that a command and its idempotency
 * record commit together; `data` has passed the schema of the command. Constraint failures (a unique field that is
 * taken, a reference to nothing) come as Prisma throws them.
 *
 * With `expectedVersion` the version is part of the statement's own condition: two writers that read the same version
 * cannot both succeed, whatever the isolation level.
 */
export interface ResourceWriter {
  create(tx: object, data: Row): Promise<Row>
  /** PUT and PATCH: writes the given fields. */
  update(tx: object, id: Id, data: Row, expectedVersion?: number): Promise<Updated>
  delete(tx: object, id: Id, expectedVersion?: number): Promise<Deleted>
}

export function prismaWriter(resource: Resource): ResourceWriter {
  const select = selectOf(resource)
  const key = resource.key.name
  const whereOf = (id: Id, version: number | undefined): object => ({
    [key]: id,
    ...(version === undefined ? {} : { version }),
  })

  /** Why nothing was hit. */
  async function explain(tx: object, id: Id): Promise<Exclude<Updated, { kind: 'updated' }>> {
    const [row] = await delegateOf(tx, resource).findMany({ where: { [key]: id }, select })
    return row === undefined ? { kind: 'missing' } : { kind: 'conflict', row }
  }

  return {
    create: (tx, data) => delegateOf(tx, resource).create({ data, select }),

    async update(tx, id, data, expectedVersion) {
      const where = whereOf(id, expectedVersion)
      const [row] = await delegateOf(tx, resource).updateManyAndReturn({ where, data, select })
      return row === undefined ? explain(tx, id) : { kind: 'updated', row }
    },

    async delete(tx, id, expectedVersion) {
      const { count } = await delegateOf(tx, resource).deleteMany({ where: whereOf(id, expectedVersion) })
      return count === 0 ? explain(tx, id) : { kind: 'deleted' }
    },
  }
}
