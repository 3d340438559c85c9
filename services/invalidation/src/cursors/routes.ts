import { Problem } from '@tidemark/service'
import type { Api } from '@tidemark/service'
import type { Cursors } from '@tidemark/log'
import type { RequestHandler } from 'express'
import { z } from 'zod'

export interface CursorRoutes {
  readonly cursors: Cursors
  readonly guard: RequestHandler
}

const tags = ['cursors']
const noStore = { 'Cache-Control': 'no-store' }

export function addCursorRoutes(api: Api, { cursors, guard }: CursorRoutes): void {
  const problems = ['unauthorized', 'forbidden', 'unavailable'] as const

  api.route({
    guard,
    method: 'get',
    path: '/v1/cursors',
    summary: 'How far each durable consumer of the log has come',
    operationId: 'listCursors',
    tags,
    responses: {
      200: {
        description: 'The log is kept for each of them, up to a cap.',
        schema: z.object({
          data: z.array(
            z.object({
              name: z.string(),
              term: z.int(),
              position: z.int(),
              idleMs: z.number().describe('Since it last moved.'),
              isHeld: z.boolean().describe('Somebody serves it.'),
            }),
          ),
        }),
      },
    },
    problems,
    handler: async (_input, { res }) => {
      res.set(noStore).json({ data: await cursors.all() })
    },
  })

  api.route({
    guard,
    method: 'delete',
    path: '/v1/cursors/{name}',
    summary: 'Forget the cursor of a consumer that is gone for good',
    description:
      'The log is no longer kept for it. A consumer that comes back begins at the head of the log.',
    operationId: 'deleteCursor',
    tags,
    params: z.object({ name: z.string().min(1).max(200) }),
    responses: { 204: { description: 'Forgotten.' } },
    problems: [...problems, 'not-found', 'conflict'],
    handler: async ({ params: { name } }, { res }) => {
      if (!(await cursors.remove(name))) {
        const isThere = (await cursors.all()).some((cursor) => cursor.name === name)
        const errors = [
          { in: 'path', field: 'name', message: isThere ? 'is held' : 'names nothing' },
        ] as const
        throw isThere
          ? new Problem('conflict', {
              detail: 'Somebody serves this cursor: stop the consumer first.',
              errors,
            })
          : new Problem('not-found', { detail: 'There is no such cursor.', errors })
      }
      res.status(204).set(noStore).end()
    },
  })
}
