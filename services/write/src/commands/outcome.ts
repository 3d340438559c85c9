import type { Resource, Row } from '@tidemark/resources'
import { represent } from '@tidemark/resources'

/** What a command has done, as the client is told. The same whether it was done now or is told again. */
export interface Outcome {
  readonly status: 200 | 201 | 204
  readonly headers: Readonly<Record<string, string>>
  /** JSON; null for no content. */
  readonly body: string | null
}

export function rowOutcome(status: 200 | 201, resource: Resource, row: Row): Outcome {
  const { body, etag } = represent(resource, row)
  const headers: Record<string, string> = { ETag: etag }
  if (status === 201) headers.Location = resource.entityKey(resource.idOf(row))
  return { status, headers, body: body.toString() }
}

export const noContent: Outcome = { status: 204, headers: {}, body: null }
