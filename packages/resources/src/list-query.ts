import type { Field } from './field.js'
import type { Id } from './id.js'
import type { RelationRules } from './includes/relation-rules.js'
import type { Scalar } from './scalar.js'

export const defaultLimit = 20
export const limitMax = 100

export interface Sort {
  readonly field: string
  readonly isDescending: boolean
}

/** A row's place in an order. */
export interface Place {
  /** The sort field's value; ISO text for a date. Equal to `id` when sorted by the key. */
  readonly value: Scalar
  readonly id: Id
}

export interface ListQuery {
  /** Facets and unique fields that must equal a value; all of them must. */
  readonly filters: Readonly<Record<string, Scalar>>
  /** Ties are broken by the key, in the same direction. */
  readonly sort: Sort
  /** 1 to 100. */
  readonly limit: number
  /** Names of relations to embed, sorted, each once. */
  readonly include: readonly string[]
  /** The row after which the page begins. */
  readonly after?: Place
}

/** What the list functions need to know of a resource. */
export interface ListShape {
  readonly name: string
  readonly fields: ReadonlyMap<string, Field>
  readonly key: Field
  /** Facets, then unique fields. */
  readonly filters: readonly string[]
  /** Sortable fields; the first is the default. */
  readonly sort: readonly string[]
  /** What rows can be shown with, by name. */
  readonly includes: ReadonlyMap<string, RelationRules>
}

export const formatSort = ({ field, isDescending }: Sort): string => (isDescending ? `-${field}` : field)
