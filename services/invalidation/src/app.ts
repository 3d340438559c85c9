import type { Cursors } from '@tidemark/log'
import type { Health, Logger, Metrics } from '@tidemark/service'
import { createApi, createApp } from '@tidemark/service'
import type { Token } from '@tidemark/tide'
import type { Express, Router } from 'express'
import { mountBoard } from './admin/board.js'
import { createGuard } from './admin/guard.js'
import { addCursorRoutes } from './cursors/routes.js'
import { createDeadLetters } from './dead-letters/dead-letters.js'
import { addDeadLetterRoutes } from './dead-letters/routes.js'
import type { RecordOnce } from './invalidations/once.js'
import { addInvalidationRoutes } from './invalidations/routes.js'
import type { Jobs } from './jobs/jobs.js'
import type { AuditReport } from './auditor/report.js'
import { auditSchema } from './auditor/report.js'
import { translate } from './problems.js'
import type { Status } from './status.js'
import { statusSchema } from './status.js'

export interface InvalidationAppOptions {
  /** Commits the change. */
  readonly record: RecordOnce
  /** Makes it known; the token covers it. */
  readonly flush: () => Promise<Token>
  readonly status: () => Promise<Status>
  readonly jobs: Jobs
  readonly cursors: Cursors
  /** Undefined: the routes of operators refuse everybody. */
  readonly adminToken: string | undefined
  readonly audit: () => AuditReport
  readonly logger: Logger
  readonly metrics: Metrics
  readonly health: Health
}

export function createInvalidationApp(options: InvalidationAppOptions): Express {
  const { record, flush, status, audit, jobs, cursors, adminToken, logger, metrics, health } = options
  const api = createApi({
    title: 'Tidemark invalidation service',
    version: '1',
    description:
      'Moves changes from Postgres to the readers, and takes invalidations of data that Postgres does not hold.',
  })

  addInvalidationRoutes(api, { record, flush, logger })

  api.route({
    method: 'get',
    path: '/v1/status',
    summary: 'Positions, lag, sinks and followers',
    operationId: 'status',
    tags: ['status'],
    responses: { 200: { description: 'Now.', schema: statusSchema } },
    handler: async (_input, { res }) => {
      res.set('Cache-Control', 'no-store').json(await status())
    },
  })

  api.route({
    method: 'get',
    path: '/v1/audit',
    summary: 'How answers compare with the origin',
    description:
      'Since this process began: the share of answers that were older than the origin, by the time after which they were asked for, and what is known of the last of them.',
    operationId: 'audit',
    tags: ['status'],
    responses: { 200: { description: 'So far.', schema: auditSchema } },
    handler: (_input, { res }) => {
      res.set('Cache-Control', 'no-store').json(audit())
    },
  })

  const guard = createGuard({ token: adminToken, scheme: 'Bearer' })
  addDeadLetterRoutes(api, { letters: createDeadLetters(jobs, logger), jobs, guard })
  addCursorRoutes(api, { cursors, guard })

  const mount = (router: Router): void => {
    mountBoard(router, jobs, adminToken)
  }
  return createApp({ logger, api, health, metrics, translate, mount })
}
