import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { Logger } from 'pino'
import type { Metrics } from '../metrics/metrics.js'
import { contextFields, contextOf } from './request-context.js'

/** Probes and scrapes come every few seconds and would drown the rest. */
const QUIET_ROUTES: ReadonlySet<string | undefined> = new Set(['/livez', '/readyz', '/metrics'])

/** One line, and one observation, per request that reaches the Express app. Sets `X-Request-Id` on the answer. */
export function requestLog({ logger, metrics }: { logger: Logger; metrics?: Metrics }): RequestHandler {
  return (req: Request, res: Response, next: NextFunction) => {
    const context = contextOf(req)
    res.setHeader('X-Request-Id', context.id)
    res.once('close', () => {
      const durationMs = performance.now() - context.startedAt
      const isAborted = !res.writableFinished
      metrics?.observeRequest(
        { method: req.method, route: context.route, status: res.statusCode },
        durationMs / 1_000,
      )
      const level = levelOf(res.statusCode, context.route)
      if (!logger.isLevelEnabled(level)) return
      logger[level](
        {
          ...contextFields(context),
          method: req.method,
          route: context.route,
          status: res.statusCode,
          duration_ms: Math.round(durationMs * 1_000) / 1_000,
          ...(isAborted ? { aborted: true } : {}),
        },
        'request',
      )
    })
    next()
  }
}

function levelOf(status: number, route: string | undefined): 'debug' | 'info' | 'warn' | 'error' {
  if (QUIET_ROUTES.has(route)) return 'debug'
  if (status >= 500) return 'error'
  return status >= 400 ? 'warn' : 'info'
}
