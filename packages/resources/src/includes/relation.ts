/**
 * To-one relations: what a row can be shown with.
 *
 * A definition names the other resource by its name, since two resources may name each other, and one itself. So what is
 * wrong with the field is found when the resource is defined, and what is wrong with the pair when the registry is made.
 */
import type { Resource } from '../define-resource.js'
import type { Issue } from '../errors.js'
import type { Field } from '../field.js'

/** As written in a definition. */
export interface RelationRules<FieldName extends string = string> {
  /** Name of the other resource: `categories`. */
  readonly resource: string
  /** Field of this resource that holds the key of the other's row: `categoryId`. Null: there is none. */
  readonly field: FieldName
}

export interface Relation {
  /** As in `include=category`, and where the row is embedded. */
  readonly name: string
  readonly field: string
  readonly resource: Resource
}

/** Most relations of one resource: each set of them is an answer of its own. */
const relationsMax = 8

/** By name, in its order, which is that of canonical URLs; every mistake is pushed to `issues`. */
export function readRelations(
  includes: Readonly<Record<string, RelationRules>>,
  fields: ReadonlyMap<string, Field>,
  issues: Issue[],
): ReadonlyMap<string, RelationRules> {
  const named = Object.entries(includes).sort(([a], [b]) => (a < b ? -1 : 1))
  if (named.length > relationsMax) {
    issues.push({ field: 'includes', message: `${named.length} relations are more than ${relationsMax}` })
  }
  for (const [name, { field: fieldName }] of named) {
    const refuse = (message: string): unknown => issues.push({ field: `includes.${name}`, message })
    if (!/^[a-z][a-zA-Z0-9]*$/.test(name))
      refuse('is not like category: letters and digits, lower case first')
    if (fields.has(name)) refuse(`"${name}" is a column: the row would have two of that name`)
    const field = fields.get(fieldName)
    if (field === undefined) refuse(`no column "${fieldName}" in the schema`)
    else if (!isKeyKind(field))
      refuse(`"${fieldName}" is of kind ${field.kind}, and a key is an int or a uuid`)
  }
  return new Map(named)
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

const isKeyKind = ({ kind }: Field): boolean => kind === 'int' || kind === 'uuid'
