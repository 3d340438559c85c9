import { classifyFailure } from '@tidemark/database'
import { LogError } from '@tidemark/log'
import { Problem } from '@tidemark/service'

/** What a failure of Postgres means to the client. */
export function translate(error: unknown): Problem | undefined {
  if (!(error instanceof LogError) && classifyFailure(error).kind !== 'unavailable') return undefined
  return new Problem('unavailable', {
    detail: 'Postgres does not answer at the moment. Try again: an invalidation does no harm twice.',
    headers: { 'Retry-After': '1' },
    cause: error,
  })
}
