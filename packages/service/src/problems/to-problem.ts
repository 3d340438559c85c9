import { STATUS_CODES } from 'node:http'
import { Problem } from './problem.js'
import { problemType } from './problem-types.js'

/** Turns a package's own error into a problem, or gives undefined if it is not one of its own. */
export type ErrorTranslator = (error: unknown) => Problem | undefined

/**
 * Every thrown thing becomes a problem here.
 *
 * What the HTTP library threw on purpose for the client (body-parser and http-errors mark it `expose`) keeps its
 * status; its text is replaced by ours. Everything else is our own fault and says nothing about itself. That includes
 * a ZodError that got this far: requests are parsed with `parsePart`, so it is some row or reply that did not fit.
 */
export function toProblem(error: unknown, translate?: ErrorTranslator): Problem {
  if (error instanceof Problem) return error
  return translate?.(error) ?? fromHttpLibrary(error) ?? new Problem('internal', { cause: error })
}

interface ExposedError {
  readonly expose: true
  readonly status: number
  readonly type?: unknown
  readonly limit?: unknown
  readonly charset?: unknown
  readonly encoding?: unknown
}

function fromHttpLibrary(error: unknown): Problem | undefined {
  if (!isExposed(error)) return undefined
  switch (error.type) {
    case 'entity.parse.failed':
      return new Problem('malformed-json', { detail: position(error), cause: error })
    case 'entity.too.large':
      return new Problem('body-too-large', {
        detail: `At most ${String(error.limit)} bytes are accepted.`,
        cause: error,
      })
    case 'charset.unsupported':
      return new Problem('unsupported-media-type', { detail: 'Only UTF-8 is accepted.', cause: error })
    case 'encoding.unsupported':
      return new Problem('unsupported-media-type', {
        detail: 'This Content-Encoding is not accepted.',
        headers: { 'Accept-Encoding': 'gzip, deflate, br' },
        cause: error,
      })
    default:
      return error.status === 400
        ? new Problem('malformed-request', { cause: error })
        : new Problem(problemType('rejected', error.status, STATUS_CODES[error.status] ?? 'Rejected'), {
            cause: error,
          })
  }
}

function isExposed(error: unknown): error is ExposedError {
  if (typeof error !== 'object' || error === null || !('expose' in error) || !('status' in error))
    return false
  return (
    error.expose === true && typeof error.status === 'number' && error.status >= 400 && error.status < 500
  )
}

/** The parser's text quotes the body, so only the place is taken from it. */
function position(error: object): string | undefined {
  const found =
    'message' in error && typeof error.message === 'string' && /position (\d+)/.exec(error.message)
  return found ? `The JSON breaks off at position ${String(found[1])}.` : undefined
}
