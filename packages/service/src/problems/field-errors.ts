import type { z } from 'zod'
import type { FieldError, RequestPart } from './problem.js'

const SECRET_NAME = /pass(word|wd)?|secret|token|authorization|cookie|api[-_]?key/i
const SHOWN_CHARACTERS = 100
const MOST_ERRORS = 50

/**
 * What zod found, in the words of a problem document. `value` is what was parsed; `known` are the names that exist,
 * to be listed when one does not.
 */
export function fieldErrors(
  part: RequestPart,
  error: z.core.$ZodError,
  value: unknown,
  known?: readonly string[],
): FieldError[] {
  return error.issues.flatMap((issue) => fromIssue(part, issue, value, known)).slice(0, MOST_ERRORS)
}

function fromIssue(
  part: RequestPart,
  issue: z.core.$ZodIssue,
  value: unknown,
  known: readonly string[] | undefined,
): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    const allowed = issue.path.length === 0 && known !== undefined ? { allowed: known.join(', ') } : {}
    return issue.keys.map((key) => ({
      in: part,
      field: fieldName(part, [...issue.path, key]),
      message: 'is not known',
      ...allowed,
    }))
  }
  const given = at(value, issue.path)
  const isMissing = given === undefined && issue.code !== 'custom'
  const allowed = allowedBy(issue)
  return [
    {
      in: part,
      field: fieldName(part, issue.path),
      message: isMissing ? 'is required' : issue.message,
      ...(isMissing ? {} : shown(issue.path, given)),
      ...(allowed === undefined ? {} : { allowed }),
    },
  ]
}

/** `/items/0/price` in a body, `limit` elsewhere; the body itself is the empty pointer. */
function fieldName(part: RequestPart, path: readonly PropertyKey[]): string {
  if (part !== 'body') return path.map(String).join('.')
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Record<PropertyKey, unknown>)[key]
  }
  return current
}

function shown(path: readonly PropertyKey[], given: unknown): Pick<FieldError, 'given'> {
  if (path.some((key) => SECRET_NAME.test(String(key)))) return {}
  if (typeof given === 'string') return { given: given.slice(0, SHOWN_CHARACTERS) }
  if (typeof given === 'number' || typeof given === 'boolean' || given === null) return { given }
  return {}
}

function allowedBy(issue: z.core.$ZodIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected
    case 'invalid_union':
      return expectedOf(issue.errors)
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${String(issue.maximum)}${unit(issue.origin)}`
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${String(issue.minimum)}${unit(issue.origin)}`
    case 'invalid_value':
      return issue.values.map(String).join(', ')
    case 'invalid_format':
      return issue.pattern === undefined ? issue.format : `${issue.format} ${issue.pattern}`
    case 'not_multiple_of':
      return `a multiple of ${String(issue.divisor)}`
    default:
      return undefined
  }
}

/** The types that the branches of a union expect: `string, number, boolean`. */
function expectedOf(branches: readonly (readonly z.core.$ZodIssue[])[]): string | undefined {
  const expected = branches.map((issues) => {
    const [issue] = issues
    return issue?.code === 'invalid_type' && issue.path.length === 0 ? issue.expected : undefined
  })
  return expected.length > 0 && expected.every((name) => name !== undefined) ? expected.join(', ') : undefined
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters'
  return origin === 'array' || origin === 'set' ? ' items' : ''
}
