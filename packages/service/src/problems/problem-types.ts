/** A kind of problem: `type` is a stable relative URI (`/problems/…`) that clients may match on. */
export interface ProblemType {
  readonly type: string
  readonly status: number
  readonly title: string
}

/** The one place where the HTTP status of an error is decided. Services add their own kinds with `problemType`. */
export const problemTypes = {
  'malformed-request': problemType('malformed-request', 400, 'The request is not well-formed HTTP'),
  'malformed-url': problemType('malformed-url', 400, 'The URL is not well-formed'),
  'malformed-json': problemType('malformed-json', 400, 'The body is not well-formed JSON'),
  'missing-body': problemType('missing-body', 400, 'A body is required'),
  'invalid-parameter': problemType('invalid-parameter', 400, 'A parameter of the request is not valid'),
  unauthorized: problemType('unauthorized', 401, 'Authentication is required'),
  forbidden: problemType('forbidden', 403, 'This is not allowed'),
  'not-found': problemType('not-found', 404, 'There is nothing here'),
  'method-not-allowed': problemType('method-not-allowed', 405, 'The method is not allowed here'),
  'not-acceptable': problemType('not-acceptable', 406, 'No acceptable representation'),
  'request-timeout': problemType('request-timeout', 408, 'The request did not arrive in time'),
  conflict: problemType('conflict', 409, 'The request conflicts with the present state'),
  'precondition-failed': problemType('precondition-failed', 412, 'A precondition does not hold'),
  'body-too-large': problemType('body-too-large', 413, 'The body is too large'),
  'unsupported-media-type': problemType('unsupported-media-type', 415, 'The content type is not supported'),
  'invalid-body': problemType('invalid-body', 422, 'The body is not valid'),
  'precondition-required': problemType('precondition-required', 428, 'A precondition is required'),
  'too-many-requests': problemType('too-many-requests', 429, 'Too many requests'),
  'headers-too-large': problemType('headers-too-large', 431, 'The request headers are too large'),
  internal: problemType('internal', 500, 'Something went wrong on our side'),
  overloaded: problemType('overloaded', 503, 'The service has too much to do'),
  unavailable: problemType('unavailable', 503, 'Something the service depends on is not available'),
  'timed-out': problemType('timed-out', 504, 'Something the service depends on did not answer in time'),
} as const satisfies Record<string, ProblemType>

export type ProblemKind = keyof typeof problemTypes

export function problemType(name: string, status: number, title: string): ProblemType {
  return { type: `/problems/${name}`, status, title }
}
