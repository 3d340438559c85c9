import { ResourceError } from '../errors.js'
import type { Resource, Row } from '../define-resource.js'

/** What is used of a Prisma model delegate, for any model. */
export interface Delegate {
  findMany(query: object): Promise<Row[]>
  create(command: object): Promise<Row>
  updateManyAndReturn(command: object): Promise<Row[]>
  deleteMany(command: object): Promise<{ count: number }>
}

/**
 * The delegate of a resource's model. Prisma's types are one per model and have no common one, and the resource is known
 * only at run time: so this is the one place where the client is taken for a map of delegates. That the model's fields
 * are those of the schema is a law of the tests, not of the types. Throws `resource.model` when there is no such model.
 */
export function delegateOf(client: object, { name, model, tagName }: Resource): Delegate {
  const delegate = (client as Record<string, Delegate | undefined>)[tagName]
  if (delegate !== undefined) return delegate
  throw new ResourceError('resource.model', `resource "${name}"`, [
    { field: 'model', message: `the Prisma client has no model ${model}; is it generated?` },
  ])
}

/** Only the fields of the schema leave the database, whatever the table holds besides. */
export function selectOf({ fields }: Resource): Record<string, true> {
  return Object.fromEntries([...fields.keys()].map((name) => [name, true as const]))
}
