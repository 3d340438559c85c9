import { z } from 'zod'

/** RFC 9457 problem details as this project sends them; the schema `Problem` of every OpenAPI document. */
export const problemSchema = z
  .object({
    type: z
      .string()
      .meta({ description: 'Stable; may be matched on.', example: '/problems/invalid-parameter' }),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().optional(),
    errors: z
      .array(
        z.object({
          in: z.enum(['path', 'query', 'header', 'body']).optional(),
          field: z
            .string()
            .meta({ description: 'A JSON pointer in a body, otherwise the name.', example: '/price' }),
          message: z.string(),
          given: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
          allowed: z.string().optional(),
        }),
      )
      .optional(),
    requestId: z.string().optional().meta({ description: 'Look for it in the logs.' }),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457).' })
