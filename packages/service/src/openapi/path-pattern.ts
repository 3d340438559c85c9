import { ServiceError } from '../service-error.js'

/**
 * A path as OpenAPI writes it, `/v1/{resource}:batchGet`, and what Express makes of it.
 *
 * In Express a colon begins a parameter and eight more characters mean something, so all literal text is escaped.
 * A parameter takes one segment or the rest of one; a more literal path must therefore be tried before a freer one,
 * or `POST /v1/{resource}` would swallow `POST /v1/products:batchGet`.
 */
const PARAMETER = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g
const SPECIAL = /[\\:*?()[\]{}!+]/g

/** `/v1/{resource}:batchGet` → `/v1/:resource\:batchGet` */
export function expressPath(path: string): string {
  const parts = path.split(PARAMETER)
  if (!path.startsWith('/') || parts.some((part, index) => index % 2 === 0 && /[{}]/.test(part))) {
    throw new ServiceError('route_conflict', `${path} is no path: write it as /v1/{name}`)
  }
  return parts.map((part, index) => (index % 2 === 0 ? part.replace(SPECIAL, '\\$&') : `:${part}`)).join('')
}

/** Two paths of one shape match the same URLs: `/v1/{a}` and `/v1/{b}`. */
export function shapeOf(path: string): string {
  return path.replace(PARAMETER, '{}')
}

/** Sorts the most literal path first, segment by segment. */
export function bySpecificity(a: string, b: string): number {
  const left = a.split('/').map(freedom)
  const right = b.split('/').map(freedom)
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a < b ? -1 : Number(a > b)
}

/** 0: literal, 1: part of the segment is a parameter, 2: all of it. */
function freedom(segment: string): number {
  const shape = shapeOf(segment)
  if (shape === '{}') return 2
  return shape.includes('{}') ? 1 : 0
}
