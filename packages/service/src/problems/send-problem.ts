import type { IncomingMessage, ServerResponse } from 'node:http'
import { contextOf } from '../logging/request-context.js'
import type { Problem } from './problem.js'

/** Answers with the problem. An answer that has begun cannot be mended: its connection is cut instead. */
export function sendProblem(req: IncomingMessage, res: ServerResponse, problem: Problem): void {
  if (res.headersSent) {
    res.destroy()
    return
  }
  const { id } = contextOf(req)
  const body = Buffer.from(JSON.stringify(problem.toDocument(id)))
  for (const name of ['ETag', 'Last-Modified', 'Content-Encoding', 'Age']) res.removeHeader(name)
  res.statusCode = problem.status
  for (const [name, value] of Object.entries(problem.headers)) res.setHeader(name, value)
  res.setHeader('Content-Type', 'application/problem+json')
  res.setHeader('Content-Length', body.byteLength)
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('X-Content-Type-Options', 'nosniff')
  res.setHeader('X-Request-Id', id)
  res.end(req.method === 'HEAD' ? undefined : body)
}
