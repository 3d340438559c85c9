import { createHash } from 'node:crypto'
import type { State } from './target.js'

export const nothing: State = { isPresent: false, digest: '', version: undefined }

export const digestOf = (bytes: Buffer | string): string =>
  createHash('sha256').update(bytes).digest('base64url').slice(0, 22)

/** The part of a JSON document that a pointer names (RFC 6901); undefined: there is none. */
export function partOf(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (part, step) =>
        typeof part === 'object' && part !== null && Object.hasOwn(part, step)
          ? (part as Record<string, unknown>)[step]
          : undefined,
      document,
    )
}

/** A number at `pointer` of a JSON text, if there is one. */
export function numberAt(text: Buffer, pointer: string): number | undefined {
  try {
    const part = partOf(JSON.parse(text.toString()), pointer)
    return typeof part === 'number' ? part : undefined
  } catch {
    return undefined
  }
}
