/** Changes of data that Postgres does not hold: somebody says which tags they touched. */
import { z } from 'zod'

const tagsMax = 1_000
/** Longer than the tag of any facet: a name and a filter text of at most 500 characters. */
const tagLengthMax = 600

/** A facet's value may hold blanks; around a tag they are a slip that would touch nothing. */
const tag = z
  .string()
  .max(tagLengthMax)
  .regex(/^[^\s\p{Cc}\p{Cs}]([^\p{Cc}\p{Cs}]*[^\s\p{Cc}\p{Cs}])?$/u, {
    error: 'must not be empty, nor begin or end with a blank, nor hold control characters',
  })

export const externalInvalidation = z.strictObject({
  tags: z
    .array(tag)
    .min(1)
    .max(tagsMax)
    .describe(
      'product:42 (one), product (its lists), product.categoryId=7, product!all (all of it), * (everything)',
    ),
  reason: z
    .string()
    .min(1)
    .max(500)
    .regex(/^[^\0\p{Cs}]*$/u, { error: 'must not hold NUL or half of a surrogate pair' })
    .describe('For those who read the log later.'),
})

export type ExternalInvalidation = z.output<typeof externalInvalidation>
