/**
 * Who may use the routes that show and change what operators deal with: whoever knows ADMIN_TOKEN.
 *
 * `Authorization: Bearer <token>`, or Basic with the token as the password, which is all that a browser can send by itself.
 * A browser sends it for other sites' pages too, so what changes something is refused when such a page asks for it.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { Problem } from '@tidemark/service'
import type { Request, RequestHandler } from 'express'

export interface GuardOptions {
  /** Undefined: nobody may. */
  readonly token: string | undefined
  /** For the challenge: `Basic` makes a browser ask for the password. */
  readonly scheme: 'Bearer' | 'Basic'
}

export function createGuard({ token, scheme }: GuardOptions): RequestHandler {
  const wanted = token === undefined ? undefined : digest(token)
  return (req, _res, next) => {
    if (wanted === undefined)
      throw new Problem('forbidden', { detail: 'ADMIN_TOKEN is not set for this service, so nobody may.' })
    // Digests have one length, so the comparison takes one time.
    if (!timingSafeEqual(digest(tokenIn(req) ?? ''), wanted))
      throw new Problem('unauthorized', {
        detail: 'Send the ADMIN_TOKEN of this service.',
        headers: { 'WWW-Authenticate': `${scheme} realm="tidemark admin"` },
      })
    if (isOfAnotherSite(req))
      throw new Problem('forbidden', { detail: 'A page of another site asks for this.' })
    next()
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

function tokenIn({ headers: { authorization = '' } }: Request): string | undefined {
  const [, scheme = '', sent = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization) ?? []
  if (scheme.toLowerCase() === 'bearer') return sent
  const pair = Buffer.from(sent, 'base64').toString()
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : undefined
}

const isOfAnotherSite = ({ method, headers }: Request): boolean =>
  method !== 'GET' &&
  method !== 'HEAD' &&
  !['same-origin', 'none', undefined].includes(headers['sec-fetch-site'] as string | undefined)
