import type { Api, Logger, RequestContext } from '@tidemark/service'
import { formatToken } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'
import type { Request, Response } from 'express'
import { z } from 'zod'
import type { ExternalInvalidation } from './external-invalidation.js'
import { batchMax, externalBatch, externalInvalidation, tagsMax, tagsOf } from './external-invalidation.js'
import type { RecordOnce } from './once.js'

export interface InvalidationRoutes {
  /** Commits the changes. */
  readonly record: RecordOnce
  /** Makes them known; the token covers them. */
  readonly flush: () => Promise<Token>
  readonly logger: Logger
}

const headers = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 visible ASCII characters')
    .optional()
    .describe('Makes it safe to repeat the request: the same key with the same request is done once.'),
})
const responses = {
  201: {
    description:
      'Committed. The token covers it; null: committed, and made known as soon as Postgres answers again.',
    schema: z.object({
      tags: z.array(z.string()).describe('All that was touched.'),
      token: z.string().nullable(),
    }),
    headers: z.object({
      Tidemark: z.string().optional(),
      'Idempotency-Replayed': z.literal('true').optional(),
    }),
  },
}
const bodyLimitBytes = 1_048_576

export function addInvalidationRoutes(api: Api, { record, flush, logger }: InvalidationRoutes): void {
  const common = {
    method: 'post',
    tags: ['invalidations'],
    headers,
    responses,
    problems: ['conflict', 'invalid-body', 'unavailable'],
  } as const

  async function answer(
    scope: string,
    key: string | undefined,
    given: readonly ExternalInvalidation[],
    { req, res, context }: { req: Request; res: Response; context: RequestContext },
  ): Promise<void> {
    const trace = context.trace?.traceparent
    const changes = given.map((one) => ({ tags: tagsOf(one), reason: one.reason, trace }))
    const { isReplay } = await record({ key, scope, request: req.body as unknown, changes })
    const token = await flush().then(formatToken, (error: unknown) => {
      logger.warn({ err: error }, 'an invalidation is committed, but not flushed')
      return null
    })
    if (token !== null) res.set('Tidemark', token)
    if (isReplay) res.set('Idempotency-Replayed', 'true')
    const tags = [...new Set(changes.flatMap((change) => change.tags))]
    res.status(201).set('Cache-Control', 'no-store').json({ tags, token })
  }

  api.route({
    ...common,
    path: '/v1/invalidations',
    summary: 'Say that data outside Postgres has changed',
    description: 'Every cached value that carries one of the tags sinks, in every reader.',
    operationId: 'invalidate',
    body: externalInvalidation,
    handler: ({ headers: { 'Idempotency-Key': key }, body }, exchange) =>
      answer('POST /v1/invalidations', key, [body], exchange),
  })

  api.route({
    ...common,
    path: '/v1/invalidations:batch',
    summary: 'Several at once, all or none',
    description: `At most ${batchMax} invalidations that stand for ${tagsMax} tags together.`,
    operationId: 'invalidateBatch',
    body: externalBatch,
    bodyLimitBytes,
    handler: ({ headers: { 'Idempotency-Key': key }, body: { invalidations } }, exchange) =>
      answer('POST /v1/invalidations:batch', key, invalidations, exchange),
  })
}
