import express, { type Request, type RequestHandler } from 'express'
import { Problem } from '../problems/problem.js'

/** Deep enough for any document of ours, shallow enough for code that walks one by recursion. */
const DEEPEST = 64

export interface JsonBodyOptions {
  /** Accepted content types, such as `application/merge-patch+json`. */
  readonly types: readonly string[]
  readonly limitBytes: number
}

/**
 * Reads a JSON body (an object or an array) and refuses what no schema should have to think about: another content
 * type, an absent body, too many bytes (also after decompression), documents that are too deep, and keys that could
 * reach a prototype when someone merges them.
 */
export function jsonBody({ types, limitBytes }: JsonBodyOptions): RequestHandler[] {
  const accepted = [...types]
  return [
    (req, _res, next) => {
      const type = req.headers['content-length'] === '0' ? null : req.is(accepted)
      if (type === null) throw new Problem('missing-body', { detail: `Send ${types.join(' or ')}.` })
      if (type === false) throw unsupported(req, types, `Send ${types.join(' or ')}.`)
      // body-parser would take UTF-16 and UTF-7 too; JSON is UTF-8 (RFC 8259, section 8.1).
      const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(req.headers['content-type'] ?? '')?.[1]
      if (charset !== undefined && charset.toLowerCase() !== 'utf-8')
        throw unsupported(req, types, 'Only UTF-8 is accepted.')
      next()
    },
    express.json({ limit: limitBytes, strict: true, type: accepted }),
    (req, _res, next) => {
      // An empty text with a JSON content type is left unparsed by body-parser.
      if (req.body === undefined) throw new Problem('missing-body', { detail: 'The body is empty.' })
      refuseHarmful(req.body)
      next()
    },
  ]
}

function unsupported(req: Request, types: readonly string[], detail: string): Problem {
  const given = req.headers['content-type']?.slice(0, 100)
  const allowed = types.join(', ')
  return new Problem('unsupported-media-type', {
    detail,
    errors: [
      {
        in: 'header',
        field: 'Content-Type',
        message: 'is not supported',
        ...(given === undefined ? {} : { given }),
        allowed,
      },
    ],
    headers: { [req.method === 'PATCH' ? 'Accept-Patch' : 'Accept-Post']: allowed },
  })
}

/** @throws Problem naming the place. Walks without recursion, since depth is what it guards against. */
function refuseHarmful(document: unknown): void {
  const stack: { value: unknown; pointer: string; depth: number }[] = [
    { value: document, pointer: '', depth: 0 },
  ]
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { value, pointer, depth } = entry
    if (typeof value !== 'object' || value === null) continue
    if (depth >= DEEPEST) throw refusal(pointer, 'is nested too deep', `at most ${String(DEEPEST)} levels`)
    for (const [key, child] of Object.entries(value)) {
      const place = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
      if (key === '__proto__' || (key === 'constructor' && holdsPrototype(child))) {
        throw refusal(place, 'is not an allowed name')
      }
      stack.push({ value: child, pointer: place, depth: depth + 1 })
    }
  }
}

function holdsPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}

function refusal(field: string, message: string, allowed?: string): Problem {
  return new Problem('invalid-body', {
    detail: `Not valid: ${field.slice(0, 200)}.`,
    errors: [
      { in: 'body', field: field.slice(0, 200), message, ...(allowed === undefined ? {} : { allowed }) },
    ],
  })
}
