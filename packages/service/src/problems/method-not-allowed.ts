import type { RequestHandler } from 'express'
import { contextOf } from '../logging/request-context.js'
import { Problem } from './problem.js'

/** Stands last on a path: answers OPTIONS with the methods there are, and every other method with 405. */
export function methodNotAllowed(route: string, methods: readonly string[]): RequestHandler {
  const allow = [...methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])), 'OPTIONS']
  const headers = { Allow: allow.join(', ') }
  return (req, res) => {
    contextOf(req).route = route
    if (req.method === 'OPTIONS') {
      res.set(headers).status(204).end()
      return
    }
    throw new Problem('method-not-allowed', {
      detail: `${req.method} is not allowed here, only ${headers.Allow}.`,
      headers,
    })
  }
}
