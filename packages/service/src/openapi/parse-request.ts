import type { Request } from 'express'
import { z } from 'zod'
import { checkPart, invalidRequest } from '../problems/parse-part.js'
import type { FieldError, RequestPart } from '../problems/problem.js'

export interface RequestSchemas {
  readonly params?: z.ZodType | undefined
  readonly query?: z.ZodType | undefined
  readonly headers?: z.ZodType | undefined
  readonly body?: z.ZodType | undefined
}

export interface ParsedRequest {
  readonly params: unknown
  readonly query: unknown
  readonly headers: unknown
  readonly body: unknown
}

/**
 * Parses every part of a request and names the mistakes of all of them at once.
 *
 * @throws Problem `invalid-parameter` or `invalid-body`.
 */
export function parseRequest(schemas: RequestSchemas, req: Request): ParsedRequest {
  const errors: FieldError[] = []
  const parse = (part: RequestPart, schema: z.ZodType | undefined, value: () => unknown): unknown => {
    if (schema === undefined) return undefined
    const result = checkPart(part, schema, value())
    if (result.ok) return result.data
    errors.push(...result.errors)
    return undefined
  }
  const query = req.query as Record<string, unknown>
  const repeated = repeatedParameters(query)
  const parsed = {
    params: parse('path', schemas.params, () => ({ ...req.params })),
    query: repeated.length > 0 ? undefined : parse('query', schemas.query, () => ({ ...query })),
    headers: parse('header', schemas.headers, () => pickHeaders(schemas.headers, req)),
    body: parse('body', schemas.body, () => req.body as unknown),
  }
  errors.push(...repeated)
  if (errors.length > 0) throw invalidRequest(errors)
  return parsed
}

/** Which of two values was meant is anybody's guess, and caches in between guess differently. */
function repeatedParameters(query: Record<string, unknown>): FieldError[] {
  return Object.entries(query)
    .filter(([, value]) => Array.isArray(value))
    .map(([field]) => ({ in: 'query', field, message: 'is given more than once', allowed: 'once' }))
}

function pickHeaders(schema: z.ZodType | undefined, req: Request): Record<string, unknown> {
  if (!(schema instanceof z.ZodObject)) return req.headers
  const names = Object.keys(schema.shape)
  const present = names.map((name) => [name, req.headers[name.toLowerCase()]] as const)
  return Object.fromEntries(present.filter(([, value]) => value !== undefined))
}
