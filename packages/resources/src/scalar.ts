import type { Field } from './field.js'

/** A value that can be a filter or a sort key. Dates travel as ISO text in UTC with milliseconds. */
export type Scalar = string | number | boolean

/** Text that Postgres stores unchanged: no NUL, no half of a surrogate pair. */
const isStorableText = (text: string): boolean => !text.includes('\0') && !/\p{Cs}/u.test(text)

/** As {@link isStorableText} for every string and key inside a JSON value. */
export function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, inner]) => isStorableText(name) && isStorable(inner))
}

/** Longest filter text. */
export const filterTextLimit = 500

export const int32Max = 2 ** 31 - 1
const int32Min = -(2 ** 31)
const isInt32 = (value: number): boolean => Number.isInteger(value) && value >= int32Min && value <= int32Max

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * The value that `text` spells, or undefined. Each value has one spelling: `042`, `+1`, `-0`, `4.2e1`, `TRUE` and
 * upper-case UUIDs spell nothing, so a value cannot be cached under two keys.
 */
export function parseScalar(field: Field, text: string): Scalar | undefined {
  switch (field.kind) {
    case 'int': {
      const value = /^(0|-?[1-9]\d{0,9})$/.test(text) ? Number(text) : NaN
      return isInt32(value) ? value : undefined
    }
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'enum':
      return field.options.includes(text) ? text : undefined
    case 'uuid':
      return uuidPattern.test(text) ? text : undefined
    case 'string':
      return text !== '' && text.length <= filterTextLimit && isStorableText(text) ? text : undefined
    case 'number':
    case 'date':
    case 'json':
      return undefined
  }
}

/** Whether a value out of a cursor is one that the column could hold, so that Postgres will compare it. */
export function isSortValue(field: Field, value: unknown): value is Scalar {
  switch (field.kind) {
    case 'int':
      return typeof value === 'number' && isInt32(value)
    case 'number':
      return typeof value === 'number' && Number.isFinite(value)
    case 'string':
      return typeof value === 'string' && isStorableText(value)
    case 'uuid':
      return typeof value === 'string' && uuidPattern.test(value)
    case 'date':
      return typeof value === 'string' && isInstant(value)
    case 'boolean':
    case 'enum':
    case 'json':
      return false
  }
}

function isInstant(text: string): boolean {
  const timeMs = Date.parse(text)
  // Year 0 exists in JavaScript and not in Postgres.
  return (
    !Number.isNaN(timeMs) && new Date(timeMs).toISOString() === text && /^\d{4}-/.test(text) && text >= '0001'
  )
}
