import type { Field } from './field.js'
import { int32Max, parseScalar } from './scalar.js'

/** Key of a row: an int32 from 1, or a UUID in lower case. */
export type Id = number | string

/** The id that a path segment spells, or undefined: `042`, `4.2e1`, `-1`, `0` and 2147483648 spell none. */
export function parseId(key: Field, text: string): Id | undefined {
  const value = parseScalar(key, text)
  return isId(key, value) ? value : undefined
}

export function isId(key: Field, value: unknown): value is Id {
  if (key.kind !== 'int') return typeof value === 'string' && parseScalar(key, value) === value
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= int32Max
}
