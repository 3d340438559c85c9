/**
 * The question that a list answers, from and to URL parameters.
 *
 * Invariant: two requests with the same answer by definition (parameters in another order, defaults spelled out) parse
 * to equal queries, and {@link canonicalSearch} gives equal queries the same text, different queries different texts.
 * So the text can be a cache key, and a request that already has this text needs no parsing at all on a hit.
 */
import { formatCursor, parseCursor } from './cursor.js'
import { ResourceError } from './errors.js'
import type { Issue } from './errors.js'
import type { Field } from './field.js'
import { describeInclude, formatInclude, parseInclude } from './includes/include-parameter.js'
import { defaultLimit, formatSort, limitMax } from './list-query.js'
import type { ListQuery, ListShape, Sort } from './list-query.js'
import { filterTextLimit, parseScalar } from './scalar.js'
import type { Scalar } from './scalar.js'

/**
 * Reads the query part of a URL (with or without `?`).
 * Throws `resource.query` that names every bad parameter, or `resource.cursor`.
 */
export function parseListQuery(shape: ListShape, search: string): ListQuery {
  const issues: Issue[] = []
  const given = readParameters(shape, new URLSearchParams(search), issues)

  const filters: Record<string, Scalar> = {}
  for (const name of shape.filters) {
    const text = given.get(name)
    if (text === undefined) continue
    const field = shape.fields.get(name)!
    const value = parseScalar(field, text)
    if (value === undefined) issues.push({ field: name, message: `must be ${describe(field)}` })
    else filters[name] = value
  }

  const sort = readSort(shape, given.get('sort'), issues)
  const limitText = given.get('limit')
  const limit = limitText === undefined ? defaultLimit : Number(limitText)
  if (limitText !== undefined && !(/^[1-9]\d{0,2}$/.test(limitText) && limit <= limitMax)) {
    issues.push({ field: 'limit', message: `must be a whole number from 1 to ${limitMax}` })
  }
  const include = readInclude(shape, given.get('include'), issues)
  if (issues.length > 0) throw new ResourceError('resource.query', `list of ${shape.name}`, issues)

  const cursor = given.get('cursor')
  const query = { filters, sort, limit, include }
  return cursor === undefined ? query : { ...query, after: parseCursor(shape, query, cursor) }
}

/** The query as URL parameters: sorted by name, defaults left out, percent-encoded; empty for the plain list. */
export function canonicalSearch(shape: ListShape, query: ListQuery): string {
  const parameters = Object.entries(query.filters).map(([name, value]): [string, string] => [
    name,
    String(value),
  ])
  const sort = formatSort(query.sort)
  if (sort !== shape.sort[0]) parameters.push(['sort', sort])
  if (query.limit !== defaultLimit) parameters.push(['limit', String(query.limit)])
  if (query.after !== undefined) parameters.push(['cursor', formatCursor(query, query.after)])
  const encoded = parameters.map(([name, value]) => [name, encodeURIComponent(value)])
  if (query.include.length > 0) encoded.push(['include', formatInclude(query.include)])
  return encoded
    .sort(([a], [b]) => (a! < b! ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function readParameters(shape: ListShape, search: URLSearchParams, issues: Issue[]): Map<string, string> {
  const more = shape.includes.size > 0 ? ['include'] : []
  const allowed = [...shape.filters, 'sort', 'limit', 'cursor', ...more]
  const given = new Map<string, string>()
  for (const [name, value] of search) {
    if (!allowed.includes(name))
      issues.push({ field: name, message: `is unknown; allowed: ${allowed.join(', ')}` })
    else if (given.has(name)) issues.push({ field: name, message: 'is given more than once' })
    else given.set(name, value)
  }
  return given
}

function readSort(shape: ListShape, text: string | undefined, issues: Issue[]): Sort {
  if (text === undefined) return { field: shape.sort[0]!, isDescending: false }
  const isDescending = text.startsWith('-')
  const field = isDescending ? text.slice(1) : text
  if (!shape.sort.includes(field)) {
    issues.push({
      field: 'sort',
      message: `must be one of ${shape.sort.join(', ')}, with - in front for descending`,
    })
  }
  return { field, isDescending }
}

function readInclude({ includes }: ListShape, text: string | undefined, issues: Issue[]): readonly string[] {
  if (text === undefined) return []
  const allowed = [...includes.keys()]
  const include = parseInclude(allowed, text)
  if (include === undefined) issues.push({ field: 'include', message: `must be ${describeInclude(allowed)}` })
  return include ?? []
}

function describe(field: Field): string {
  switch (field.kind) {
    case 'int':
      return 'a whole number of 32 bits in plain digits'
    case 'boolean':
      return 'true or false'
    case 'enum':
      return `one of ${field.options.join(', ')}`
    case 'uuid':
      return 'a UUID in lower case'
    default:
      return `a text of 1 to ${filterTextLimit} characters`
  }
}
