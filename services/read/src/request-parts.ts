/** The parts of a request that say how fresh the answer must be, as schemas: parsed and documented from here. */
import type { Id, Resource } from '@tidemark/resources'
import { parseToken } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'
import { z } from 'zod'

export const freshnessHeaders = z.object({
  Tidemark: z
    .string()
    .max(64)
    .transform((text, context): Token => {
      const token = parseToken(text)
      if (token !== undefined) return token
      context.addIssue({
        code: 'custom',
        message: 'is no token; send back what a Tidemark header said, such as 1-4711',
      })
      return z.NEVER
    })
    .optional()
    .meta({ override: { type: 'string', examples: ['1-4711'] } })
    .describe('At least as fresh as this token: from a write, or from an earlier answer.'),
  'Tidemark-Level': z
    .enum(['bounded', 'session', 'strict'])
    .optional()
    .describe("How fresh the answer must be; the resource's own level by default, session with a token."),
})

export type Freshness = z.output<typeof freshnessHeaders>

export const answerHeaders = z.object({
  ETag: z.string(),
  'Cache-Status': z.string().describe('RFC 9211: hit or not, ttl left in seconds, and which layer answered.'),
  Age: z.string().describe('Seconds since the answer was read from the origin.'),
  Tidemark: z
    .string()
    .describe('The position this answer is at least as fresh as: a token for further requests.'),
  'Tidemark-Lag': z
    .string()
    .describe('The answer holds everything committed more than so many milliseconds ago.'),
})

export function idPath(resource: Resource) {
  const id = z.string().transform((text, context): Id => {
    const parsed = resource.parseId(text)
    if (parsed !== undefined) return parsed
    context.addIssue({ code: 'custom', message: `is no id of ${resource.name}` })
    return z.NEVER
  })
  return z.object({ id: id.meta({ override: { type: resource.key.kind === 'int' ? 'integer' : 'string' } }) })
}
