import { integerParameter, Problem } from '@tidemark/service'
import type { Api } from '@tidemark/service'
import type { Job } from 'bullmq'
import type { RequestHandler } from 'express'
import { z } from 'zod'
import { isQueueName } from '../jobs/jobs.js'
import type { Jobs, QueueName } from '../jobs/jobs.js'
import type { DeadLetters, Place } from './dead-letters.js'
import { fullLetterOf, fullLetterSchema, letterSchema } from './letter.js'

export interface DeadLetterRoutes {
  readonly letters: DeadLetters
  readonly jobs: Jobs
  readonly guard: RequestHandler
}

const queue = z
  .string()
  .refine(isQueueName, { error: "must be the name of a queue: 'warm' or 'webhooks-<hook>'" })
  .transform((name) => name as QueueName)
const one = z.object({ queue, id: z.string().min(1).max(200) })

const limit = integerParameter({ min: 1, max: 100 }).default(20)

/** `<queue>.<offset>`, opaque to clients. */
const cursorOf = ({ queue: name, offset }: Place): string =>
  Buffer.from(`${name}.${offset}`).toString('base64url')
const cursor = z
  .string()
  .max(200)
  .transform((text, context): Place => {
    const [, name = '', offset] = /^(.+)\.(\d{1,9})$/.exec(Buffer.from(text, 'base64url').toString()) ?? []
    if (offset !== undefined && isQueueName(name)) return { queue: name, offset: Number(offset) }
    context.addIssue({ code: 'custom', message: 'is no cursor that this endpoint has given' })
    return z.NEVER
  })
  .meta({ override: { type: 'string' } })

const bulk = z.strictObject({
  queue,
  filter: z
    .strictObject({
      ids: z.array(z.string().min(1).max(200)).min(1).max(1_000).optional(),
      error: z.string().min(1).max(200).optional().describe('Text in its error.'),
      before: z.iso.datetime().optional().describe('Died before.'),
    })
    .default({}),
  dryRun: z.boolean().default(false).describe('Only tells which it would be.'),
})
const bulkResult = z.object({
  count: z.int(),
  ids: z.array(z.string()).describe('The first hundred.'),
  more: z.boolean().describe('More may match than one request deals with: send it again.'),
})

const tags = ['dead letters']
const noStore = { 'Cache-Control': 'no-store' }

export function addDeadLetterRoutes(api: Api, { letters, jobs, guard }: DeadLetterRoutes): void {
  const problems = ['unauthorized', 'forbidden', 'unavailable'] as const
  const common = { guard, tags }

  const deadOne = async ({ queue: name, id }: z.output<typeof one>): Promise<Job> => {
    const found = await letters.find(name, id)
    const errors = [
      { in: 'path', field: 'id', message: 'is no dead letter', given: id.slice(0, 100) },
    ] as const
    if (found === undefined)
      throw new Problem('not-found', { detail: `There is no job ${id} in ${name}.`, errors })
    if (found === 'alive')
      throw new Problem('conflict', { detail: `The job ${id} is waiting, under way or done.`, errors })
    return found
  }

  api.route({
    ...common,
    method: 'get',
    path: '/v1/dead-letters',
    summary: 'Jobs that failed for good, oldest first',
    operationId: 'listDeadLetters',
    query: z.strictObject({ queue: queue.optional(), limit, cursor: cursor.optional() }),
    responses: {
      200: {
        description: 'A page. Where letters are retried or discarded meanwhile, those that follow move up.',
        schema: z.object({
          queues: z.array(z.object({ queue: z.string(), dead: z.int() })),
          data: z.array(letterSchema),
          next: z.string().nullable().describe('For `cursor`; null: no more follow.'),
        }),
      },
    },
    problems,
    handler: async ({ query }, { res }) => {
      const all = query.queue === undefined ? jobs.names() : [query.queue]
      const from = query.cursor === undefined ? 0 : Math.max(0, all.indexOf(query.cursor.queue))
      const page = await letters.page(all.slice(from), query.cursor?.offset ?? 0, query.limit)
      const next = page.next === undefined ? null : cursorOf(page.next)
      res.set(noStore).json({ queues: await letters.counts(), data: page.letters, next })
    },
  })

  api.route({
    ...common,
    method: 'get',
    path: '/v1/dead-letters/{queue}/{id}',
    summary: 'One of them, with what it was to do',
    operationId: 'getDeadLetter',
    params: one,
    responses: { 200: { description: 'The letter.', schema: fullLetterSchema } },
    problems: [...problems, 'not-found', 'conflict'],
    handler: async ({ params }, { res }) => {
      res.set(noStore).json(fullLetterOf(params.queue, await deadOne(params)))
    },
  })

  api.route({
    ...common,
    method: 'post',
    path: '/v1/dead-letters/{queue}/{id}:retry',
    summary: 'Try it again, with all its attempts',
    operationId: 'retryDeadLetter',
    params: one,
    responses: { 204: { description: 'It waits in its queue.' } },
    problems: [...problems, 'not-found', 'conflict'],
    handler: async ({ params }, { res }) => {
      await letters.retry(await deadOne(params))
      res.status(204).set(noStore).end()
    },
  })

  api.route({
    ...common,
    method: 'delete',
    path: '/v1/dead-letters/{queue}/{id}',
    summary: 'Discard it',
    operationId: 'discardDeadLetter',
    params: one,
    responses: { 204: { description: 'It is gone; the log of this service says what it was.' } },
    problems: [...problems, 'not-found', 'conflict'],
    handler: async ({ params }, { res }) => {
      await letters.discard(params.queue, await deadOne(params))
      res.status(204).set(noStore).end()
    },
  })

  const many = [
    { verb: 'retry', summary: 'Try many again', act: letters.retryMany },
    { verb: 'discard', summary: 'Discard many', act: letters.discardMany },
  ] as const
  for (const { verb, summary, act } of many)
    api.route({
      ...common,
      method: 'post',
      path: `/v1/dead-letters:${verb}`,
      summary,
      description: 'Those of one queue that fit every part of the filter, at most 1,000 in one request.',
      operationId: `${verb}DeadLetters`,
      body: bulk,
      responses: { 200: { description: 'Which; with `dryRun`, nothing was changed.', schema: bulkResult } },
      problems: [...problems, 'invalid-body'],
      handler: async ({ body }, { res }) => {
        res.set(noStore).json(await act(body))
      },
    })
}
