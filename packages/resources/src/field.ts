/**
 * What a column is, read once from its zod schema.
 *
 * Invariant: for the kinds that may be a facet, a value has one text, and it is the same text in JavaScript
 * (`String(value)`) and in Postgres (`value::text`). Tags are compared as text on both sides, so a kind for which this
 * fails (`1e21` and `1000000000000000000000`, two spellings of one instant) could miss an invalidation.
 */
import type { z } from 'zod'

export type FieldKind = 'int' | 'number' | 'string' | 'boolean' | 'enum' | 'uuid' | 'date' | 'json'

export interface Field {
  readonly name: string
  readonly kind: FieldKind
  readonly isNullable: boolean
  readonly hasDefault: boolean
  readonly defaultValue: unknown
  /** The schema without `nullable` and `default`. */
  readonly bare: z.ZodType
  /** Allowed values of an enum. */
  readonly options: readonly string[]
}

/** Kinds whose text is the same in Postgres and in JavaScript. */
export const facetKinds: ReadonlySet<FieldKind> = new Set(['int', 'string', 'boolean', 'enum', 'uuid'])

/** Kinds with an order that JavaScript can carry in a cursor. */
export const sortKinds: ReadonlySet<FieldKind> = new Set(['int', 'number', 'string', 'uuid', 'date'])

const jsonTypes = new Set(['object', 'record', 'array', 'tuple', 'union', 'unknown', 'any', 'json', 'lazy'])

/** The parts of a zod definition that are read here; zod's own union of definitions has no common view of them. */
interface Definition {
  readonly type: string
  readonly format?: string
  readonly innerType?: z.ZodType
  readonly defaultValue?: unknown
}

const definitionOf = (schema: z.ZodType): Definition => schema.def as Definition

function kindOf(schema: z.ZodType): FieldKind | undefined {
  const { type, format } = definitionOf(schema)
  switch (type) {
    case 'number':
      return (schema as z.ZodNumber).isInt ? 'int' : 'number'
    case 'string':
      if (format === 'uuid' || format === 'guid') return 'uuid'
      return ['datetime', 'date', 'time', 'duration'].includes(format ?? '') ? undefined : 'string'
    case 'boolean':
      return 'boolean'
    case 'enum':
      return (schema as z.ZodEnum).options.every((option) => typeof option === 'string') ? 'enum' : undefined
    case 'date':
      return 'date'
    default:
      return jsonTypes.has(type) ? 'json' : undefined
  }
}

/** The field, or the sentence that says why a column cannot be of this schema. */
export function readField(name: string, schema: z.ZodType): Field | string {
  let bare = schema
  let isNullable = false
  let hasDefault = false
  let defaultValue: unknown
  for (;;) {
    const { type, innerType, defaultValue: given } = definitionOf(bare)
    if (type === 'nullable') isNullable = true
    else if (type === 'default') {
      hasDefault = true
      defaultValue = given
    } else if (type === 'optional') return 'a column is null or has a value: say nullable(), not optional()'
    else if (type !== 'readonly') break
    bare = innerType!
  }
  const kind = kindOf(bare)
  if (kind === undefined) return `no column kind for a zod ${definitionOf(bare).type}: dates are z.date()`
  if (kind === 'json' && isNullable)
    return 'a JSON column cannot be nullable: SQL null and JSON null would mix'
  const options = kind === 'enum' ? (bare as z.ZodEnum).options.map(String) : []
  return { name, kind, isNullable, hasDefault, defaultValue, bare, options }
}
