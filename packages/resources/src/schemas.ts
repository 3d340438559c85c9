/**
 * The schemas of a resource, all derived from the schema of its row.
 *
 * `row` describes the JSON representation (dates as text). `create`, `replace` and `patch` take JSON in and give what
 * the origin stores; they are strict, so an unknown field is refused by name. Fields that the database sets (key,
 * version, createdAt, updatedAt) cannot be written.
 */
import { z } from 'zod'

import { describeInclude, includePattern } from './includes/include-parameter.js'
import { defaultLimit, limitMax } from './list-query.js'
import type { Field } from './field.js'
import { int32Max, isStorable } from './scalar.js'

export interface ResourceSchemas {
  readonly row: z.ZodObject
  readonly page: z.ZodObject
  readonly id: z.ZodType
  /** POST: defaults are filled in; a nullable field that is missing is null. */
  readonly create: z.ZodObject
  /** PUT: every writable field is required. */
  readonly replace: z.ZodObject
  /** PATCH (RFC 7396): the fields to change; JSON fields are merged, so they are to be validated after the merge. */
  readonly patch: z.ZodObject
  /** Parameters of a list, for documentation; {@link parseListQuery} reads them. */
  readonly listQuery: z.ZodObject
}

export interface SchemaParts {
  readonly fields: ReadonlyMap<string, Field>
  readonly key: Field
  readonly filters: readonly string[]
  readonly sort: readonly string[]
  readonly includes: ReadonlyMap<string, unknown>
}

const setByDatabase = new Set(['version', 'createdAt', 'updatedAt'])

export function deriveSchemas({ fields, key, filters, sort, includes }: SchemaParts): ResourceSchemas {
  const all = [...fields.values()]
  const writable = all.filter(({ name }) => name !== key.name && !setByDatabase.has(name))
  const object = (chosen: readonly Field[], shape: (field: Field) => z.ZodType): z.ZodObject =>
    z.strictObject(Object.fromEntries(chosen.map((field) => [field.name, shape(field)])))

  const row = object(all, (field) => orNull(field, field.kind === 'date' ? z.iso.datetime() : field.bare))
  const patch = object(writable, (field) => forPatch(field).optional()).refine(
    (given) => Object.keys(given).length > 0,
    { error: 'give at least one field to change', when: ({ issues }) => issues.length === 0 },
  )
  return {
    row,
    page: z.strictObject({ data: z.array(row), nextCursor: z.string().nullable() }),
    id: key.kind === 'int' ? z.int().min(1).max(int32Max) : z.uuid().lowercase(),
    create: object(writable, forCreate),
    replace: object(writable, input),
    patch,
    listQuery: listParameters({ filters, fields, sort, includes }),
  }
}

const orNull = (field: Field, schema: z.ZodType): z.ZodType => (field.isNullable ? schema.nullable() : schema)

function input(field: Field): z.ZodType {
  if (field.kind === 'date') {
    return orNull(
      field,
      z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
    )
  }
  if (field.kind !== 'string' && field.kind !== 'json') return orNull(field, field.bare)
  const storable = field.bare.refine(isStorable, { error: 'text may not contain NUL or lone surrogates' })
  return orNull(field, storable)
}

/** What a JSON field becomes is known only once it is merged; whoever merges validates the result. */
function forPatch(field: Field): z.ZodType {
  return field.kind === 'json' ? z.unknown() : input(field)
}

function forCreate(field: Field): z.ZodType {
  if (field.hasDefault) return input(field).default(field.defaultValue)
  return field.isNullable ? input(field).default(null) : input(field)
}

function listParameters({ filters, fields, sort, includes }: Omit<SchemaParts, 'key'>): z.ZodObject {
  const directions = sort.flatMap((field) => [field, `-${field}`])
  return z.strictObject({
    ...Object.fromEntries(filters.map((name) => [name, fields.get(name)!.bare.optional()])),
    sort: z.enum(directions).default(sort[0]!),
    limit: z.int().min(1).max(limitMax).default(defaultLimit),
    cursor: z.string().optional(),
    ...(includes.size > 0 && { include: includeParameter([...includes.keys()]).optional() }),
  })
}

/** For documentation; {@link parseInclude} reads it. */
export const includeParameter = (names: readonly string[]): z.ZodString =>
  z
    .string()
    .regex(includePattern(names))
    .describe(`Related rows to embed: ${describeInclude(names)}.`)
