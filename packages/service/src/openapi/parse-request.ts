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
  const query = withLists(schemas.query, req.query as Record<string, unknown>)
  const repeated = repeatedParameters(schemas.query, query)
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

/** A parameter whose schema is an array may be given any number of times; given once it is an array of one. */
function withLists(schema: z.ZodType | undefined, query: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(query)
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      typeof value === 'string' && isList(schema, name) ? [value] : value,
    ]),
  )
}

function isList(schema: z.ZodType | undefined, name: string): boolean {
  let field = schema instanceof z.ZodObject ? (schema.shape[name] as z.ZodType | undefined) : undefined
  while (field instanceof z.ZodOptional || field instanceof z.ZodDefault || field instanceof z.ZodPipe)
    field = (field instanceof z.ZodPipe ? field.in : field.unwrap()) as z.ZodType
  return field instanceof z.ZodArray
}

/** Which of two values was meant is anybody's guess, and caches in between guess differently. */
function repeatedParameters(schema: z.ZodType | undefined, query: Record<string, unknown>): FieldError[] {
  return Object.entries(query)
    .filter(([name, value]) => Array.isArray(value) && !isList(schema, name))
    .map(([field]) => ({ in: 'query', field, message: 'is given more than once', allowed: 'once' }))
}

function pickHeaders(schema: z.ZodType | undefined, req: Request): Record<string, unknown> {
  if (!(schema instanceof z.ZodObject)) return req.headers
  const names = Object.keys(schema.shape)
  const present = names.map((name) => [name, req.headers[name.toLowerCase()]] as const)
  return Object.fromEntries(present.filter(([, value]) => value !== undefined))
}
