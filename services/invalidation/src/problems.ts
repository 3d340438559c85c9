import { classifyFailure } from '@tidemark/database'
import { LogError } from '@tidemark/log'
import { Problem } from '@tidemark/service'
import { JobsError } from './jobs/in-time.js'

/** What a failure of a store means to the client. */
export function translate(error: unknown): Problem | undefined {
  if (error instanceof JobsError)
    return new Problem('unavailable', {
      detail:
        'The Redis of the job queues does not answer at the moment. What was asked may be done all the same.',
      headers: { 'Retry-After': '1' },
      cause: error,
    })
  if (!(error instanceof LogError) && classifyFailure(error).kind !== 'unavailable') return undefined
  return new Problem('unavailable', {
    detail: 'Postgres does not answer at the moment. Try again: an invalidation does no harm twice.',
    headers: { 'Retry-After': '1' },
    cause: error,
  })
}
