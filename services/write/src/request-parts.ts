/** The parts of a command's request besides its body, as schemas: parsed and documented from here. */
import { z } from 'zod'
import { parsePrecondition } from './commands/precondition.js'

const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 visible ASCII characters')
  .optional()
  .describe('Makes it safe to repeat the request: the same key with the same request is done once.')

const ifMatch = z
  .string()
  .max(2_000)
  .refine((text) => parsePrecondition(text) !== undefined, { error: 'must be a list of entity tags or *' })
  .transform((text) => parsePrecondition(text)!)
  .optional()
  .describe('The command is done only if one of these entity tags is the present one.')

export const createHeaders = z.object({ 'Idempotency-Key': idempotencyKey })
export const changeHeaders = z.object({ 'Idempotency-Key': idempotencyKey, 'If-Match': ifMatch })

export const answerHeaders = z.object({
  Tidemark: z.string().optional().describe('Send it to the read service to see at least this write.'),
  ETag: z.string().optional(),
  'Idempotency-Replayed': z.literal('true').optional(),
})
