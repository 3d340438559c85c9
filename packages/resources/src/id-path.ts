import { z } from 'zod'

import type { Resource } from './define-resource.js'
import type { Id } from './id.js'

/** The `{id}` of a path, as it is parsed and documented: only the canonical text of an id passes. */
export function idPath(resource: Resource) {
  const isInteger = resource.key.kind === 'int'
  const id = z.string().transform((text, context): Id => {
    const parsed = resource.parseId(text)
    if (parsed !== undefined) return parsed
    const shape = isInteger ? 'a whole number from 1 to 2147483647 in plain digits' : 'a UUID in lower case'
    context.addIssue({ code: 'custom', message: `is no id of ${resource.name}: ${shape}` })
    return z.NEVER
  })
  return z.object({ id: id.meta({ type: isInteger ? 'integer' : 'string' }) })
}
