import type { Resource, Row } from '@tidemark/resources'
import { represent } from '@tidemark/resources'
import { Problem } from '@tidemark/service'

/**
 * `If-Match` (RFC 9110 §13.1.1): `any`, or the entity tags of which one must be the row's. Weak tags never match, since
 * the comparison is the strong one.
 */
export type Precondition = 'any' | readonly string[]

const entityTags =
  /^\s*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*$/

/** Undefined where the text is no list of entity tags. */
export function parsePrecondition(text: string): Precondition | undefined {
  if (text.trim() === '*') return 'any'
  if (!entityTags.test(text)) return undefined
  return text.match(/(?:W\/)?"[^"]*"/g)!.filter((tag) => !tag.startsWith('W/'))
}

/** @throws Problem `precondition-failed` with the row's present ETag. */
export function requireMatch(resource: Resource, row: Row, precondition: Precondition | undefined): void {
  if (precondition === undefined || precondition === 'any') return
  const { etag } = represent(resource, row)
  if (!precondition.includes(etag)) throw mismatch(precondition, etag)
}

export function mismatch(precondition: readonly string[], etag: string): Problem {
  return new Problem('precondition-failed', {
    detail: 'It was changed by somebody else: read it again and decide anew.',
    errors: [
      {
        in: 'header',
        field: 'If-Match',
        message:
          precondition.length === 0
            ? 'names weak entity tags alone, which never match'
            : 'does not name the present version',
        ...(precondition.length === 0 ? {} : { given: precondition.join(', ').slice(0, 200) }),
        allowed: etag,
      },
    ],
    headers: { ETag: etag },
  })
}
