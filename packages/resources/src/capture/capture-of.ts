import { columnOf, tableOf } from '@tidemark/database'
import type { Capture } from '@tidemark/database'

import type { Resource } from '../define-resource.js'

/** What the triggers of a resource's table must tell. Pure. */
export function captureOf(resource: Resource): Capture {
  return {
    table: tableOf(resource.model),
    name: resource.tagName,
    key: columnOf(resource.key.name),
    facets: Object.fromEntries(resource.captured.map((field) => [field, columnOf(field)])),
  }
}
