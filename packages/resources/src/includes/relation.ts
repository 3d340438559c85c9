/**
 * Relations, resolved: a definition names the other resource by its name, since two resources may name each other, and one
 * itself. So what is wrong with the field is found when the resource is defined, and what is wrong with the pair when the
 * registry is made.
 */
import type { Resource } from '../define-resource.js'
import type { Issue } from '../errors.js'

export interface Relation {
  /** As in `include=category`, and where the row is embedded. */
  readonly name: string
  readonly field: string
  readonly resource: Resource
}

/** The relations of `resource`, each with the resource that it leads to; every mistake is pushed to `issues`. */
export function resolveRelations(
  { name: from, includes, fields }: Resource,
  byName: ReadonlyMap<string, Resource>,
  issues: Issue[],
): readonly Relation[] {
  return [...includes].flatMap(([name, { resource: to, field }]) => {
    const refuse = (message: string): [] => {
      issues.push({ field: `${from}.includes.${name}`, message })
      return []
    }
    const resource = byName.get(to)
    if (resource === undefined) {
      return refuse(`no resource "${to}" in the registry; there are ${[...byName.keys()].join(', ')}`)
    }
    const { key } = resource
    const { kind } = fields.get(field)!
    if (kind !== key.kind)
      return refuse(`"${field}" is of kind ${kind}, the key of ${to} is of kind ${key.kind}`)
    return [{ name, field, resource }]
  })
}
