import { CacheError } from '@tidemark/cache'
import { classifyFailure } from '@tidemark/database'
import { LogError } from '@tidemark/log'
import { ResourceError } from '@tidemark/resources'
import { Problem } from '@tidemark/service'

/** What a failure of the cache, the origin or a resource's own rules means to the client. */
export function translate(error: unknown): Problem | undefined {
  if (error instanceof CacheError) return fromCache(error)
  if (error instanceof ResourceError) return fromResource(error)
  if (error instanceof LogError && error.code === 'log.unreachable') return logAway(error)
  return classifyFailure(error).kind === 'unavailable' ? originAway(error) : undefined
}

function fromCache(error: CacheError): Problem | undefined {
  switch (error.code) {
    case 'cache.token-unknown':
      return new Problem('invalid-parameter', {
        detail: 'The token names a position that the log does not have.',
        errors: [
          {
            in: 'header',
            field: 'Tidemark',
            message: 'is not a token of this deployment',
            allowed: 'what a Tidemark header of this deployment said',
          },
        ],
        cause: error,
      })
    case 'cache.overloaded':
      return new Problem('overloaded', { headers: retryAfter, cause: error })
    case 'cache.load-timeout':
      return new Problem('timed-out', { headers: retryAfter, cause: error })
    case 'cache.load-failed':
    case 'cache.unavailable':
    case 'cache.closed':
      return originAway(error)
    case 'cache.bad-option':
    case 'cache.no-invalidation':
      return undefined
  }
}

function fromResource(error: ResourceError): Problem | undefined {
  if (error.code !== 'resource.query' && error.code !== 'resource.cursor') return undefined
  return new Problem('invalid-parameter', {
    detail: `Not valid: ${error.issues.map(({ field }) => field).join(', ')}.`,
    errors: error.issues.map(({ field, message }) => ({ in: 'query', field, message })),
    cause: error,
  })
}

const retryAfter = { 'Retry-After': '1' }

const originAway = (cause: unknown): Problem =>
  new Problem('unavailable', {
    detail: 'It is not cached freshly enough for this request, and Postgres does not answer at the moment.',
    headers: retryAfter,
    cause,
  })

const logAway = (cause: unknown): Problem =>
  new Problem('unavailable', {
    detail: 'What came after this place is not in memory, and Postgres does not answer at the moment.',
    headers: retryAfter,
    cause,
  })
