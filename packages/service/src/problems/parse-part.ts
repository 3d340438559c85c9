import { z } from 'zod'
import { fieldErrors } from './field-errors.js'
import { Problem, type FieldError, type RequestPart } from './problem.js'

export type PartResult<T> = { ok: true; data: T } | { ok: false; errors: FieldError[] }

/** Checks one part of a request against its schema, without throwing. */
export function checkPart<S extends z.ZodType>(
  part: RequestPart,
  schema: S,
  value: unknown,
): PartResult<z.output<S>> {
  const result = schema.safeParse(value)
  if (result.success) return { ok: true, data: result.data }
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : undefined
  return { ok: false, errors: fieldErrors(part, result.error, value, known) }
}

/**
 * For a handler whose schema is known only while it runs.
 *
 * @throws Problem `invalid-body` (422) or `invalid-parameter` (400), naming every wrong field.
 * @example const product = parsePart('body', resource.schema, body)
 */
export function parsePart<S extends z.ZodType>(part: RequestPart, schema: S, value: unknown): z.output<S> {
  const result = checkPart(part, schema, value)
  if (result.ok) return result.data
  throw invalidRequest(result.errors)
}

/** A request whose only mistakes are in its body is understood but unprocessable (422); any other is bad (400). */
export function invalidRequest(errors: readonly FieldError[]): Problem {
  const isBodyOnly = errors.every((error) => error.in === 'body')
  const fields = [...new Set(errors.map((error) => (error.field === '' ? 'the body' : error.field)))]
  return new Problem(isBodyOnly ? 'invalid-body' : 'invalid-parameter', {
    detail: `Not valid: ${fields.join(', ')}.`,
    errors,
  })
}
