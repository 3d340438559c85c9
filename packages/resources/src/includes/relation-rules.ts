import type { Issue } from '../errors.js'
import type { Field } from '../field.js'

/** A to-one relation as written in a definition: what a row can be shown with. */
export interface RelationRules<FieldName extends string = string> {
  /** Name of the other resource: `categories`. */
  readonly resource: string
  /** Field of this resource that holds the key of the other's row: `categoryId`. Null: there is none. */
  readonly field: FieldName
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

const isKeyKind = ({ kind }: Field): boolean => kind === 'int' || kind === 'uuid'
