/** Changes of data that Postgres does not hold: somebody says what they touched. */
import { allTag, keyTag, namespaceTag } from '@tidemark/tide'
import { z } from 'zod'

/** Of one request, over all of its invalidations. */
export const tagsMax = 1_000
export const batchMax = 100
/** Longer than the tag of any facet: a name and a filter text of at most 500 characters. */
const tagLengthMax = 600

/** A facet's value may hold blanks; around a tag they are a slip that would touch nothing. */
const text = z
  .string()
  .max(tagLengthMax)
  .regex(/^[^\s\p{Cc}\p{Cs}]([^\p{Cc}\p{Cs}]*[^\s\p{Cc}\p{Cs}])?$/u, {
    error: 'must not be empty, nor begin or end with a blank, nor hold control characters',
  })
/** A key is what its cache was given, blanks and all; what Postgres cannot store no cache has made a tag of either. */
const key = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\0\p{Cs}]*$/u, { error: 'must not hold NUL or half of a surrogate pair' })

const fields = {
  tags: z
    .array(text)
    .min(1)
    .max(tagsMax)
    .optional()
    .describe(
      'product:42 (one), product (its lists), product.categoryId=7, product!all (all of it), * (everything)',
    ),
  resources: z
    .array(z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,99}$/, 'must be a name as in tags: letters and digits'))
    .min(1)
    .max(tagsMax)
    .optional()
    .describe('All of each: product stands for the tag product!all. Names as in tags.'),
  namespace: z
    .string()
    .regex(/^[\w.-]{1,64}$/, "must be 1 to 64 letters, digits, '.', '_' or '-'")
    .optional()
    .describe('Of a cache that follows this log. Alone: all of it.'),
  keys: z.array(key).min(1).max(tagsMax).optional().describe('Of the namespace, as its cache spells them.'),
  prefix: key
    .optional()
    .describe(
      'Keys of the namespace that begin so. Values know their key, not its beginnings: all of the namespace sinks.',
    ),
  reason: z
    .string()
    .min(1)
    .max(500)
    .regex(/^[^\0\p{Cs}]*$/u, { error: 'must not hold NUL or half of a surrogate pair' })
    .describe('For those who read the log later.'),
}

export const externalInvalidation = z.strictObject(fields).check(({ value, issues }) => {
  const refuse = (field: keyof typeof fields, message: string): void => {
    issues.push({ code: 'custom', path: [field], message, input: value[field] })
  }
  const { tags, resources, namespace, keys, prefix } = value
  if (namespace === undefined && keys !== undefined) refuse('keys', 'needs the namespace of the keys')
  if (namespace === undefined && prefix !== undefined) refuse('prefix', 'needs the namespace of the keys')
  if (keys !== undefined && prefix !== undefined) refuse('prefix', 'give either keys or a prefix')
  if (tags === undefined && resources === undefined && namespace === undefined)
    refuse('tags', 'is missing: give tags, resources or a namespace')
  if (tagsOf(value).length > tagsMax) refuse('tags', `stands with the others for more than ${tagsMax} tags`)
})

export type ExternalInvalidation = z.output<typeof externalInvalidation>

export const externalBatch = z
  .strictObject({ invalidations: z.array(externalInvalidation).min(1).max(batchMax) })
  .check(({ value, issues }) => {
    const count = value.invalidations.reduce((sum, one) => sum + tagsOf(one).length, 0)
    if (count > tagsMax)
      issues.push({
        code: 'custom',
        path: ['invalidations'],
        message: `stand for ${count} tags together: at most ${tagsMax} are taken`,
        input: value.invalidations,
      })
  })

/** What the change touches, each tag once. */
export function tagsOf({
  tags = [],
  resources = [],
  namespace,
  keys,
}: Omit<ExternalInvalidation, 'reason'>): string[] {
  const ofNamespace =
    namespace === undefined ? [] : (keys?.map((one) => keyTag(namespace, one)) ?? [namespaceTag(namespace)])
  return [...new Set([...tags, ...resources.map(allTag), ...ofNamespace])]
}
