import { parseToken } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'
import { z } from 'zod'

/** A place in the log as clients send it back, `1-4711`, parsed; `refusal` says what it should have been. */
export const tokenParameter = (refusal: string) =>
  z
    .string()
    .max(64)
    .transform((text, context): Token => {
      const token = parseToken(text)
      if (token !== undefined) return token
      context.addIssue({ code: 'custom', message: refusal })
      return z.NEVER
    })
    .optional()
    .meta({ type: 'string', maxLength: 64, examples: ['1-4711'] })
