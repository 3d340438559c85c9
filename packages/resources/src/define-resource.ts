import type { z } from 'zod'

import { ResourceError } from './errors.js'
import type { Issue } from './errors.js'
import { facetKinds, readField, sortKinds } from './field.js'
import type { Field } from './field.js'
import { parseId } from './id.js'
import type { Id } from './id.js'
import { formatInclude } from './includes/include-parameter.js'
import { readRelations } from './includes/relation-rules.js'
import type { RelationRules } from './includes/relation-rules.js'
import { canonicalSearch, parseListQuery } from './list-parameters.js'
import type { ListQuery, ListShape } from './list-query.js'
import { readPolicy } from './policy.js'
import type { CachePolicy, CacheRules } from './policy.js'
import { deriveSchemas } from './schemas.js'
import type { ResourceSchemas } from './schemas.js'
import { createTags } from './tags.js'
import type { ResourceTags } from './tags.js'

export interface Access {
  /** Scopes, all of which a reader needs. */
  readonly read: readonly string[]
  readonly write: readonly string[]
}

export interface ResourceDefinition<Schema extends z.ZodObject = z.ZodObject> {
  /** Plural, as in the URL: `products`. */
  readonly name: string
  /** Prisma model: `Product`. Its first letter in lower case is the name in tags. */
  readonly model: string
  /** The full row as Prisma gives it (dates are `z.date()`, 32-bit columns `z.int32()`). */
  readonly schema: Schema
  /** List filters, and the tags that changes touch. From broad to narrow. */
  readonly facets: readonly FieldName<Schema>[]
  /** Other look-ups; also list filters. */
  readonly unique: readonly FieldName<Schema>[]
  /** Fields that lists can be sorted by; the key always is, and is the default. */
  readonly sort?: readonly FieldName<Schema>[]
  /** To-one relations, whose rows `?include=` embeds: `{ category: { resource: 'categories', field: 'categoryId' } }`. */
  readonly includes?: Readonly<Record<string, RelationRules<FieldName<Schema>>>>
  readonly cache: CacheRules
  readonly access: Access
  /** Field of the primary key, set by the database. Default `id`. */
  readonly key?: FieldName<Schema>
}

type FieldName<Schema extends z.ZodObject> = Extract<keyof z.infer<Schema>, string>

/** A row as the origin gives it. */
export type Row = Readonly<Record<string, unknown>>

export interface Resource<Schema extends z.ZodObject = z.ZodObject> extends ListShape {
  readonly model: string
  readonly schema: Schema
  /** `product` */
  readonly tagName: string
  /** `/v1/products` */
  readonly path: string
  readonly facets: readonly string[]
  readonly unique: readonly string[]
  /** Fields that the capture trigger of the table must tag: facets and unique fields. */
  readonly captured: readonly string[]
  readonly cache: CachePolicy
  readonly access: Access
  readonly schemas: ResourceSchemas
  readonly tags: ResourceTags
  /** Typed id of a path segment; undefined unless it is spelled canonically. */
  parseId(text: string): Id | undefined
  idOf(row: Row): Id
  /** Throws `resource.query` or `resource.cursor`. `search` is the URL's part from `?` on. */
  parseListQuery(search: string): ListQuery
  /** Canonical URL of a row, and its cache key: `/v1/products/42`. `include` is sorted. */
  entityKey(id: Id, include?: readonly string[]): string
  /** Canonical URL of a list, and its cache key: `/v1/products?categoryId=5&limit=50`. */
  listKey(query: ListQuery): string
}

/**
 * A resource from its one declaration. Pure: nothing is opened or read.
 * Throws `resource.definition` naming every mistake in it.
 */
export function defineResource<Schema extends z.ZodObject>(
  definition: ResourceDefinition<Schema>,
): Resource<Schema> {
  const { name, model, schema, access } = definition
  const issues: Issue[] = []
  if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) {
    issues.push({
      field: 'name',
      message: `"${name}" is not like products: letters and digits, lower case first`,
    })
  }
  if (!/^[A-Z][a-zA-Z0-9]*$/.test(model)) {
    issues.push({
      field: 'model',
      message: `"${model}" is not like Product: letters and digits, capital first`,
    })
  }
  const fields = readFields(schema, issues)
  const keyName: string = definition.key ?? 'id'
  const { facets, unique, sort = [] } = definition
  checkFields(fields, { keyName, facets, unique, sort }, issues)
  const includes = readRelations(definition.includes ?? {}, fields, issues)
  const cache = readPolicy(definition.cache, issues)
  for (const kind of ['read', 'write'] as const) {
    if (!Array.isArray(access[kind]) || access[kind].some((scope) => scope === '')) {
      issues.push({ field: `access.${kind}`, message: 'must be a list of scopes' })
    }
  }
  if (issues.length > 0) throw new ResourceError('resource.definition', `resource "${name}"`, issues)

  const key = fields.get(keyName)!
  const tagName = model[0]!.toLowerCase() + model.slice(1)
  const path = `/v1/${name}`
  const filters = [...facets, ...unique]
  const shape: ListShape = { name, fields, key, filters, sort: [...new Set([keyName, ...sort])], includes }
  return {
    ...shape,
    ...{ model, schema, tagName, path, facets, unique, captured: filters, cache, access },
    schemas: deriveSchemas(shape),
    tags: createTags(tagName, facets, unique),
    parseId: (text) => parseId(key, text),
    idOf: (row) => row[keyName] as Id,
    parseListQuery: (search) => parseListQuery(shape, search),
    entityKey: (id, include = []) =>
      include.length === 0 ? `${path}/${id}` : `${path}/${id}?include=${formatInclude(include)}`,
    listKey(query) {
      const search = canonicalSearch(shape, query)
      return search === '' ? path : `${path}?${search}`
    },
  }
}

/** Names that lists use for parameters of their own. */
const reserved = new Set(['sort', 'limit', 'cursor', 'include'])

function readFields(schema: z.ZodObject, issues: Issue[]): Map<string, Field> {
  const fields = new Map<string, Field>()
  for (const [name, column] of Object.entries(schema.shape)) {
    const field = readField(name, column as z.ZodType)
    if (typeof field === 'string') issues.push({ field: `schema.${name}`, message: field })
    else fields.set(name, field)
  }
  return fields
}

interface Named {
  readonly keyName: string
  readonly facets: readonly string[]
  readonly unique: readonly string[]
  readonly sort: readonly string[]
}

function checkFields(
  fields: ReadonlyMap<string, Field>,
  { keyName, facets, unique, sort }: Named,
  issues: Issue[],
) {
  const check = (where: string, name: string, refuse: (field: Field) => string | undefined): void => {
    const field = fields.get(name)
    const message = field === undefined ? `no column "${name}" in the schema` : refuse(field)
    if (message !== undefined) issues.push({ field: where, message })
  }
  check('key', keyName, ({ kind, isNullable }) =>
    (kind === 'int' || kind === 'uuid') && !isNullable ? undefined : 'a key is a z.int32() or a z.uuid()',
  )
  check('schema.version', 'version', ({ kind }) => (kind === 'int' ? undefined : 'version is a whole number'))

  const filters = [...facets.map((name) => ['facets', name]), ...unique.map((name) => ['unique', name])]
  for (const [where, name] of filters as [string, string][]) {
    check(where, name, ({ kind }) =>
      facetKinds.has(kind)
        ? undefined
        : `"${name}" is a ${kind}, whose text in Postgres is not its text here; ${[...facetKinds].join(', ')} can be`,
    )
    if (name === keyName) issues.push({ field: where, message: `"${name}" is the key: it has its own path` })
    if (reserved.has(name)) issues.push({ field: where, message: `"${name}" is a list parameter already` })
    if (filters.filter(([, other]) => other === name).length > 1) {
      issues.push({ field: where, message: `"${name}" is named twice` })
    }
  }
  for (const name of sort) {
    check('sort', name, ({ kind, isNullable }) =>
      sortKinds.has(kind) && !isNullable
        ? undefined
        : `"${name}" has no place in an order: a sort field is never null, and one of ${[...sortKinds].join(', ')}`,
    )
  }
}
