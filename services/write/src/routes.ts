/** The endpoints of each resource, from its one declaration. */
import type { Resource, Row } from '@tidemark/resources'
import { idPath } from '@tidemark/resources'
import type { Api, RequestContext } from '@tidemark/service'
import type { Response } from 'express'
import type { z } from 'zod'
import { batchResultSchema, batchSchema, runBatch } from './commands/batch.js'
import type { Command } from './commands/commands.js'
import { createRow, deleteRow, patchRow, replaceRow } from './commands/commands.js'
import { fingerprintOf } from './commands/idempotency.js'
import type { RunCommand } from './commands/run-command.js'
import { answerHeaders, changeHeaders, createHeaders } from './request-parts.js'

export interface RouteOptions {
  readonly run: RunCommand
  readonly idempotencyTtlMs: number
}

interface Exchange {
  readonly res: Response
  readonly context: RequestContext
}

/** Bytes of a batch's body. */
const batchLimitBytes = 1_048_576

export function addRoutes(api: Api, resource: Resource, { run, idempotencyTtlMs }: RouteOptions): void {
  const { path, name, tagName, schemas } = resource
  const one = `${path}/{id}`
  const tags = [name]
  const row = (description: string) => ({ description, schema: schemas.row, headers: answerHeaders })

  async function answer(
    command: Command,
    key: string | undefined,
    scope: string,
    request: readonly unknown[],
    { res, context }: Exchange,
  ): Promise<void> {
    const idempotent =
      key === undefined
        ? undefined
        : { key, scope, fingerprint: fingerprintOf(scope, ...request), ttlMs: idempotencyTtlMs }
    const { outcome, token, isReplay } = await run(command, { idempotent, trace: context.trace })
    res.status(outcome.status).set({ ...outcome.headers, 'Cache-Control': 'no-store' })
    if (token !== undefined) res.set('Tidemark', token)
    if (isReplay) res.set('Idempotency-Replayed', 'true')
    if (outcome.body === null) res.end()
    else res.type('json').send(outcome.body)
  }

  api.route({
    method: 'post',
    path,
    summary: `Create a ${tagName}`,
    operationId: `create_${tagName}`,
    tags,
    headers: createHeaders,
    body: schemas.create,
    responses: { 201: row('Created; Location names it.') },
    problems: ['conflict', 'invalid-body'],
    handler: ({ headers, body }, exchange) =>
      answer(
        createRow(resource, body),
        headers['Idempotency-Key'],
        `POST ${path}`,
        [exchange.req.body],
        exchange,
      ),
  })

  const changes = [
    {
      method: 'put',
      verb: 'Replace',
      body: schemas.replace,
      bodyTypes: ['application/json'],
      command: replaceRow,
    },
    {
      method: 'patch',
      verb: 'Change',
      body: schemas.patch,
      bodyTypes: ['application/merge-patch+json', 'application/json'],
      command: patchRow,
    },
  ] as const
  for (const { method, verb, body: schema, bodyTypes, command } of changes) {
    api.route({
      method,
      path: one,
      summary: `${verb} a ${tagName}`,
      operationId: `${verb.toLowerCase()}_${tagName}`,
      tags,
      params: idPath(resource),
      headers: changeHeaders,
      body: schema as z.ZodType<Row>,
      bodyTypes,
      responses: { 200: row('The new row.') },
      problems: ['not-found', 'conflict', 'precondition-failed', 'invalid-body'],
      handler: ({ params, headers, body }, exchange) =>
        answer(
          command(resource, params.id, body, headers['If-Match']),
          headers['Idempotency-Key'],
          `${method.toUpperCase()} ${path}/${params.id}`,
          [headers['If-Match'], exchange.req.body],
          exchange,
        ),
    })
  }

  api.route({
    method: 'delete',
    path: one,
    summary: `Delete a ${tagName}`,
    operationId: `delete_${tagName}`,
    tags,
    params: idPath(resource),
    headers: changeHeaders,
    responses: { 204: { description: 'Deleted.', headers: answerHeaders } },
    problems: ['not-found', 'conflict', 'precondition-failed'],
    handler: ({ params, headers }, exchange) =>
      answer(
        deleteRow(resource, params.id, headers['If-Match']),
        headers['Idempotency-Key'],
        `DELETE ${path}/${params.id}`,
        [headers['If-Match']],
        exchange,
      ),
  })

  api.route({
    method: 'post',
    path: `${path}:batch`,
    summary: `Several commands on ${name}, all or none`,
    operationId: `batch_${name}`,
    tags,
    headers: createHeaders,
    body: batchSchema(resource),
    bodyLimitBytes: batchLimitBytes,
    responses: {
      200: { description: 'All done.', schema: batchResultSchema(resource), headers: answerHeaders },
    },
    problems: ['not-found', 'conflict', 'precondition-failed', 'invalid-body'],
    handler: ({ headers, body }, exchange) =>
      answer(
        runBatch(resource, body),
        headers['Idempotency-Key'],
        `POST ${path}:batch`,
        [exchange.req.body],
        exchange,
      ),
  })
}
