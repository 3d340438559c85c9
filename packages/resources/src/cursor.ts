/**
 * A cursor names the last row of a page by what the order depends on: its sort value and its key. The next page is
 * "rows after this place", so rows that are inserted or deleted meanwhile shift nothing (an offset would skip or
 * repeat). It carries the sort and a hash of the filters, and is refused by any other query: under another order
 * "after this place" would mean other rows.
 *
 * It is opaque, not secret and not signed: whoever forges one only asks for another place of a list that is theirs to
 * read. It has one spelling, because it is part of a cache key.
 */
import { createHash } from 'node:crypto'

import { ResourceError } from './errors.js'
import { formatSort } from './list-query.js'
import type { ListQuery, ListShape, Place } from './list-query.js'
import { isId } from './id.js'
import { isSortValue } from './scalar.js'
import type { Scalar } from './scalar.js'

type Order = Pick<ListQuery, 'filters' | 'sort'>

/** Longest cursor that is looked at. */
const cursorTextLimit = 8192

export function formatCursor(order: Order, { value, id }: Place): string {
  const fields = [formatSort(order.sort), hashFilters(order), value, id]
  return Buffer.from(JSON.stringify(fields)).toString('base64url')
}

/** Throws `resource.cursor` for anything that {@link formatCursor} did not make for this sort and these filters. */
export function parseCursor(shape: ListShape, order: Order, text: string): Place {
  const refuse = (message: string): never => {
    throw new ResourceError('resource.cursor', `list of ${shape.name}`, [{ field: 'cursor', message }])
  }
  const fields = readFields(text)
  if (fields === undefined) return refuse('is not one that a list has given')
  const [sort, hash, value, id] = fields
  if (sort !== formatSort(order.sort) || hash !== hashFilters(order)) {
    return refuse('belongs to a list with another sort or other filters; begin again without it')
  }
  const field = shape.fields.get(order.sort.field)!
  const isSortedByKey = field.name === shape.key.name
  if (!isId(shape.key, id) || !(isSortedByKey ? value === id : isSortValue(field, value))) {
    return refuse('is not one that a list has given')
  }
  const place = { value: value as Scalar, id }
  return formatCursor(order, place) === text ? place : refuse('is not one that a list has given')
}

function readFields(text: string): unknown[] | undefined {
  if (text.length > cursorTextLimit || !/^[\w-]+$/.test(text)) return undefined
  try {
    const fields: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return Array.isArray(fields) && fields.length === 4 ? fields : undefined
  } catch {
    return undefined
  }
}

function hashFilters({ filters }: Order): string {
  const sorted = Object.entries(filters).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url').slice(0, 11)
}
