import type { z } from 'zod'

import { ResourceError } from './errors.js'
import type { Issue } from './errors.js'

/** The parsed value, or `resource.input` naming every field that does not fit. Values are never repeated in messages. */
export function parseInput<T>(schema: z.ZodType<T>, subject: string, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new ResourceError('resource.input', subject, result.error.issues.flatMap(toIssues))
}

function toIssues(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code !== 'unrecognized_keys') return [{ field: issue.path.join('.'), message: issue.message }]
  return issue.keys.map((key) => ({
    field: [...issue.path, key].join('.'),
    message: 'is unknown or cannot be written',
  }))
}
