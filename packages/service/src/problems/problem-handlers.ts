import type { ErrorRequestHandler, RequestHandler } from 'express'
import type { Logger } from 'pino'
import { requestLogger } from '../logging/request-context.js'
import { reasonOf } from '../service-error.js'
import { Problem } from './problem.js'
import { sendProblem } from './send-problem.js'
import { toProblem, type ErrorTranslator } from './to-problem.js'

/** The last route: nothing matched. */
export function notFoundHandler(): RequestHandler {
  return (req) => {
    throw new Problem('not-found', { detail: `There is no ${req.path}.` })
  }
}

/** The last handler of an app. Our own faults are logged with everything; the client is told none of it. */
export function problemHandler(logger: Logger, translate?: ErrorTranslator): ErrorRequestHandler {
  // Express tells an error handler from others by its four parameters.
  return (error: unknown, req, res, _next) => {
    const problem = toProblem(error, translate)
    if (problem.status >= 500) {
      requestLogger(logger, req).error(
        { err: problem.cause ?? problem },
        `request failed: ${reasonOf(error)}`,
      )
    }
    sendProblem(req, res, problem)
  }
}
