/**
 * Bull Board at /admin/queues: what is in the job queues, to look at and to act on.
 *
 * Its page names a font of another site. It is left out, and a content security policy sees to it that the page asks nobody
 * but this service. Its calls to Redis have no deadline of their own, so its answers get one.
 */
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { ExpressAdapter } from '@bull-board/express'
import { contextOf, Problem, sendProblem } from '@tidemark/service'
import type { RequestHandler, Router } from 'express'
import type { Jobs } from '../jobs/jobs.js'
import { createGuard } from './guard.js'

const boardPath = '/admin/queues'

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  // The page and its library style elements in place.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const deadlineMs = 10_000

export function mountBoard(router: Router, jobs: Jobs, token: string | undefined): void {
  const adapter = new OwnAdapter()
  adapter.setBasePath(boardPath)
  createBullBoard({
    queues: jobs.names().map((name) => new BullMQAdapter(jobs.queue(name))),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Tidemark queues' } },
  })
  router.use(
    boardPath,
    named,
    createGuard({ token, scheme: 'Basic' }),
    inTime,
    adapter.getRouter() as RequestHandler,
  )
}

const named: RequestHandler = (req, res, next) => {
  contextOf(req).route = boardPath
  res.set({ 'Content-Security-Policy': policy, 'Referrer-Policy': 'no-referrer' })
  next()
}

const inTime: RequestHandler = (req, res, next) => {
  const timer = setTimeout(() => {
    if (!res.headersSent)
      sendProblem(
        req,
        res,
        new Problem('timed-out', { detail: 'The Redis of the job queues gives no answer.' }),
      )
  }, deadlineMs)
  res.once('close', () => {
    clearTimeout(timer)
  })
  next()
}

type EntryRoute = Parameters<ExpressAdapter['setEntryRoute']>[0]

/** The page without what it would fetch from elsewhere. */
class OwnAdapter extends ExpressAdapter {
  override setEntryRoute(entry: EntryRoute): this {
    this.app[entry.method](entry.route, (_req, res, next) => {
      const { name, params } = entry.handler({ basePath: this.basePath, uiConfig: this.uiConfig })
      res.render(name, params, (error: Error | null, html: string | undefined) => {
        if (html === undefined) next(error)
        else res.set('Cache-Control', 'no-store').send(html.replace(/<link [^>]*href="https?:[^>]*>/g, ''))
      })
    })
    return this
  }
}
