import { classifyFailure } from '@tidemark/database'
import { ResourceError } from '@tidemark/resources'
import { Problem } from '@tidemark/service'

/** What a failure of Postgres, or of a resource's own rules, means to the client of a command. */
export function translate(error: unknown): Problem | undefined {
  if (error instanceof ResourceError) return fromResource(error)
  const failure = classifyFailure(error)
  const options = { cause: error }
  switch (failure.kind) {
    case 'unique':
      return new Problem('conflict', {
        ...options,
        detail: `Another row has this ${failure.fields.join(' and ')} already.`,
        errors: failure.fields.map((field) => ({ in: 'body', field: `/${field}`, message: 'is taken' })),
      })
    case 'foreign-key':
      return failure.side === 'missing'
        ? invalid(failure.field, 'names nothing that exists', error)
        : new Problem('conflict', {
            ...options,
            detail: 'Other rows still refer to it: change or delete them first.',
            errors: [{ in: 'path', field: 'id', message: 'is referred to by other rows' }],
          })
    case 'check':
      return invalid(failure.fields[0], `breaks the rule ${failure.constraint ?? 'of its column'}`, error)
    case 'invalid':
      return invalid(failure.field, 'is not a value that its column can hold', error)
    case 'conflict':
      return new Problem('conflict', {
        ...options,
        detail: 'It lost against another command at the same time: try again.',
        headers: { 'Retry-After': '1' },
      })
    case 'unavailable':
      return new Problem('unavailable', {
        ...options,
        detail: /lock timeout/.test(failure.reason)
          ? 'Another transaction holds what this command needs. Nothing was changed: try again.'
          : 'Postgres does not take commands at the moment. Repeat with an Idempotency-Key to be safe.',
        headers: { 'Retry-After': '1' },
      })
    case 'not-found':
    case 'other':
      return undefined
  }
}

function invalid(field: string | undefined, message: string, cause: unknown): Problem {
  return new Problem('invalid-body', {
    detail: field === undefined ? `A field ${message}.` : `Not valid: /${field}.`,
    errors: [{ in: 'body', field: field === undefined ? '' : `/${field}`, message }],
    cause,
  })
}

function fromResource(error: ResourceError): Problem | undefined {
  if (error.code !== 'resource.input') return undefined
  return new Problem('invalid-body', {
    errors: error.issues.map(({ field, message }) => ({
      in: 'body',
      field: field === '' ? '' : `/${field.replaceAll('.', '/')}`,
      message,
    })),
    cause: error,
  })
}
