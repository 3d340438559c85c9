/** The parts of a request that say how fresh the answer must be, as schemas: parsed and documented from here. */
import type { Id, Issue, Resource } from '@tidemark/resources'
import { describeInclude, includeParameter, parseInclude, ResourceError } from '@tidemark/resources'
import { z } from 'zod'
import { tokenParameter } from './token-parameter.js'

export const freshnessHeaders = z.object({
  Tidemark: tokenParameter('is no token; send back what a Tidemark header said, such as 1-4711').describe(
    'At least as fresh as this token: from a write, or from an earlier answer.',
  ),
  'Tidemark-Level': z
    .enum(['bounded', 'session', 'strict'])
    .optional()
    .describe("How fresh the answer must be; the resource's own level by default, session with a token."),
  'Tidemark-Purpose': z
    .string()
    .optional()
    .describe(
      'Sent by who asks for no client, such as `warm` or `audit`: the request does not make its key hot.',
    ),
})

export type Freshness = z.output<typeof freshnessHeaders>

export const answerHeaders = z.object({
  ETag: z.string(),
  'Cache-Status': z.string().describe('RFC 9211: hit or not, ttl left in seconds, and which layer answered.'),
  Age: z.string().describe('Seconds since the answer was read from the origin.'),
  Tidemark: z
    .string()
    .optional()
    .describe(
      'A token: what is asked with it is at least as fresh as this answer. Absent on a graced answer, and at bounded in the first moments after a load.',
    ),
  'Tidemark-Lag': z
    .string()
    .optional()
    .describe('The answer holds everything committed more than so many milliseconds ago. Absent: no bound.'),
  'Surrogate-Key': z.string().optional().describe('With SURROGATE_KEYS: what the answer depends on.'),
})

/**
 * The list parameters as texts, documented as what they mean. The resource reads them; what it refuses is named beside
 * what the schema itself refuses.
 */
export function listQuery(resource: Resource) {
  const meant = Object.entries(resource.schemas.listQuery.shape as Record<string, z.ZodType>)
  const parameters = meant.map(([name, schema]) => [name, z.string().optional().meta(documented(schema))])
  return z.strictObject(Object.fromEntries(parameters) as z.ZodRawShape).check(({ value, issues }) => {
    for (const { field, message } of mistakesIn(resource, value as Record<string, string>))
      issues.push({ code: 'custom', path: [field], message, input: value })
  })
}

export interface Including {
  /** Names of relations, sorted, each once. */
  readonly include?: readonly string[] | undefined
}

/** The parameters of one row: none, where its resource has no relations. */
export function rowQuery({ includes }: Resource): z.ZodType<Including> {
  const names = [...includes.keys()]
  if (names.length === 0) return z.strictObject({})
  const include = z.string().transform((text, context): readonly string[] => {
    const parsed = parseInclude(names, text)
    if (parsed !== undefined) return parsed
    context.addIssue({ code: 'custom', message: `must be ${describeInclude(names)}` })
    return z.NEVER
  })
  return z.strictObject({
    include: include.optional().meta(documented(includeParameter(names))),
  })
}

/** Most ids in one batch. */
const batchMax = 100

export interface BatchBody extends Including {
  readonly ids: readonly Id[]
}

export function batchBody({ includes, schemas }: Resource): z.ZodType<BatchBody> {
  const names = [...includes.keys()]
  const ids = z
    .array(schemas.id as z.ZodType<Id>)
    .min(1)
    .max(batchMax)
  if (names.length === 0) return z.strictObject({ ids })
  const include = z
    .array(z.enum(names))
    .refine((given) => new Set(given).size === given.length, { error: 'names a relation twice' })
    .transform((given) => given.toSorted())
  return z.strictObject({ ids, include: include.optional() })
}

function mistakesIn(resource: Resource, given: Record<string, string>): readonly Issue[] {
  try {
    const known = Object.keys(resource.schemas.listQuery.shape).filter((name) => given[name] !== undefined)
    const parameters = new URLSearchParams(known.map((name): [string, string] => [name, given[name]!]))
    resource.parseListQuery(parameters.toString())
    return []
  } catch (error) {
    if (error instanceof ResourceError) return error.issues
    throw error
  }
}

function documented(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, { io: 'input' })
  return jsonSchema
}
