import express, { Router, type Express } from 'express'
import type { Health } from '../health/health.js'
import type { Logger } from 'pino'
import { requestLog } from '../logging/request-log.js'
import type { Metrics } from '../metrics/metrics.js'
import type { Api } from '../openapi/api.js'
import { docsRouter } from '../openapi/docs.js'
import { notFoundHandler, problemHandler } from '../problems/problem-handlers.js'
import type { ErrorTranslator } from '../problems/to-problem.js'
import { hygiene } from './hygiene.js'

export interface AppOptions {
  readonly logger: Logger
  readonly api: Api
  readonly health?: Health
  readonly metrics?: Metrics
  /** Gives the problems that the service's own packages' errors stand for. */
  readonly translate?: ErrorTranslator
  /** For routes that are not part of the API, mounted before it. */
  readonly mount?: (router: Router) => void
}

/**
 * The Express app of a service, from the outside in: request log and metrics, hygiene, probes, API, docs, problems.
 * It never listens.
 */
export function createApp({ logger, api, health, metrics, translate, mount }: AppOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.set('env', 'production')
  app.use(requestLog({ logger, ...(metrics === undefined ? {} : { metrics }) }))
  app.use(hygiene())
  if (health !== undefined) app.use(health.router)
  if (metrics !== undefined) app.use(metrics.router)
  if (mount !== undefined) {
    const router = Router()
    mount(router)
    app.use(router)
  }
  app.use(docsRouter(api))
  app.use(api.router())
  app.use(notFoundHandler())
  app.use(problemHandler(logger, translate))
  return app
}
