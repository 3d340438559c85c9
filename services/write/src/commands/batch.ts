import type { Id, Resource, Row } from '@tidemark/resources'
import { Problem } from '@tidemark/service'
import { z } from 'zod'
import { translate } from '../problems.js'
import type { Command } from './commands.js'
import { createRow, deleteRow, patchRow, replaceRow } from './commands.js'
import type { Precondition } from './precondition.js'
import { parsePrecondition } from './precondition.js'

/** Most operations in one batch. */
const batchMax = 100

/** The body of a batch: operations of one resource, done in order and all together or not at all. */
export function batchSchema({ schemas }: Resource) {
  const ifMatch = z
    .string()
    .refine((text) => parsePrecondition(text) !== undefined, { error: 'must be a list of entity tags or *' })
    .optional()
  const id = schemas.id
  return z.strictObject({
    operations: z
      .array(
        z.discriminatedUnion('op', [
          z.strictObject({ op: z.literal('create'), data: schemas.create }),
          z.strictObject({ op: z.literal('replace'), id, data: schemas.replace, ifMatch }),
          z.strictObject({ op: z.literal('patch'), id, data: schemas.patch, ifMatch }),
          z.strictObject({ op: z.literal('delete'), id, ifMatch }),
        ]),
      )
      .min(1)
      .max(batchMax),
  })
}

export type Batch = z.output<ReturnType<typeof batchSchema>>

export function batchResultSchema({ schemas }: Resource) {
  return z.strictObject({
    results: z.array(
      z.strictObject({
        status: z.union([z.literal(200), z.literal(201), z.literal(204)]),
        etag: z.string().optional(),
        data: schemas.row.optional(),
      }),
    ),
  })
}

export function runBatch(resource: Resource, { operations }: Batch): Command {
  return async (tx) => {
    const results: string[] = []
    for (const [index, operation] of operations.entries()) {
      const { status, headers, body } = await commandOf(
        resource,
        operation,
      )(tx).catch((error: unknown) => {
        const problem = error instanceof Problem ? error : translate(error)
        throw problem === undefined ? error : atOperation(problem, index)
      })
      const etag = headers.ETag === undefined ? '' : `,"etag":${JSON.stringify(headers.ETag)}`
      results.push(`{"status":${status}${etag}${body === null ? '' : `,"data":${body}`}}`)
    }
    return { status: 200, headers: {}, body: `{"results":[${results.join(',')}]}` }
  }
}

function commandOf(resource: Resource, operation: Batch['operations'][number]): Command {
  const ifMatch = 'ifMatch' in operation ? preconditionOf(operation.ifMatch) : undefined
  switch (operation.op) {
    case 'create':
      return createRow(resource, operation.data as Row)
    case 'replace':
      return replaceRow(resource, operation.id as Id, operation.data as Row, ifMatch)
    case 'patch':
      return patchRow(resource, operation.id as Id, operation.data as Row, ifMatch)
    case 'delete':
      return deleteRow(resource, operation.id as Id, ifMatch)
  }
}

const preconditionOf = (text: string | undefined): Precondition | undefined =>
  text === undefined ? undefined : parsePrecondition(text)

/** The same problem, saying which operation met it: `/operations/3/id`. */
function atOperation(problem: Problem, index: number): Problem {
  const place = `/operations/${index}`
  const within: Record<string, string> = { id: `${place}/id`, 'If-Match': `${place}/ifMatch` }
  return new Problem(
    { type: problem.type, status: problem.status, title: problem.title },
    {
      detail: `Operation ${index}: ${problem.detail ?? problem.title} Nothing of the batch was done.`,
      errors: (problem.errors ?? [{ field: '', message: problem.title }]).map((error) => ({
        ...error,
        in: 'body',
        field: within[error.field] ?? `${place}${error.in === 'body' ? `/data${error.field}` : ''}`,
      })),
      cause: problem,
    },
  )
}
