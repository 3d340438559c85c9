import type { RequestHandler } from 'express'
import { Problem } from '../problems/problem.js'

/** What holds for every answer and every URL. */
export function hygiene(): RequestHandler {
  return (req, res, next) => {
    res.setHeader('X-Content-Type-Options', 'nosniff')
    if (req.url.includes('%') && !isDecodable(req.url)) {
      throw new Problem('malformed-url', {
        detail: 'The URL holds a percent sign that encodes no UTF-8 text.',
      })
    }
    if (/%00/.test(req.url)) throw new Problem('malformed-url', { detail: 'The URL holds a NUL character.' })
    next()
  }
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
