import { connect } from 'node:net'
import { z } from 'zod'
import {
  createApi,
  createApp,
  createHealth,
  createLogger,
  createMetrics,
  createReadiness,
  createServer,
  integerParameter,
  type Api,
  type HealthCheck,
  type ServerOptions,
} from '../src/index.js'

export interface LogLine extends Record<string, unknown> {
  level: string
  msg: string
}

/** A whole service on a free loopback port, with its log lines kept. */
export async function serving(
  declare: (api: Api) => void = () => undefined,
  { checks = [], ...limits }: Partial<ServerOptions> & { checks?: HealthCheck[] } = {},
) {
  const lines: LogLine[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) }
  const logger = createLogger({ name: 'test', level: 'debug', destination })
  const readiness = createReadiness()
  const metrics = createMetrics({ service: 'test' })
  const health = createHealth({ readiness, logger, checks })
  const api = createApi({ title: 'Test', version: '1', bodyLimitBytes: 1_000 })
  declare(api)
  const app = createApp({ logger, api, health, metrics })
  const http = createServer({ app, logger, metrics, ...limits })
  await http.listen({ port: 0, host: '127.0.0.1' })
  readiness.ready()
  return {
    url: http.url,
    port: Number(new URL(http.url).port),
    http,
    api,
    readiness,
    metrics,
    lines,
    [Symbol.asyncDispose]: () => http.drain(AbortSignal.timeout(0)),
  }
}

/** Sends these bytes and gives back everything that was answered until the connection closed. */
export function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      resolve(answer)
    })
  })
}

export async function until(check: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !check(); turn++) await new Promise((resolve) => setTimeout(resolve, 10))
  if (!check()) throw new Error('the condition did not come about within 5 s')
}

export function gate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

export const Product = z
  .strictObject({
    name: z.string().min(1).max(20),
    price: z.number().min(0),
    labels: z.array(z.object({ text: z.string() })).optional(),
    password: z.string().min(8).optional(),
  })
  .meta({ id: 'Product' })

/** A small API of every shape that the services use. */
export function declareProducts(api: Api): void {
  api.route({
    method: 'get',
    path: '/v1/{resource}/{id}',
    summary: 'One',
    params: z.object({ resource: z.string(), id: z.coerce.number().int().positive() }),
    headers: z.object({ 'If-None-Match': z.string().max(100).optional() }),
    responses: { 200: { description: 'The product', schema: Product } },
    problems: ['not-found'],
    handler: ({ params, headers }, { res, context }) => {
      res.json({ id: params.id, etag: headers['If-None-Match'], trace: context.trace?.traceId })
    },
  })
  api.route({
    method: 'get',
    path: '/v1/{resource}',
    summary: 'List',
    params: z.object({ resource: z.string() }),
    query: z.strictObject({
      limit: integerParameter({ min: 1, max: 100 }).default(20),
      sort: z.enum(['name', 'price']).optional(),
    }),
    responses: { 200: { description: 'Products', schema: z.array(Product) } },
    handler: ({ params, query }, { res }) => {
      res.json({ resource: params.resource, ...query })
    },
  })
  api.route({
    method: 'post',
    path: '/v1/{resource}',
    summary: 'Create',
    params: z.object({ resource: z.string() }),
    body: Product,
    responses: { 201: { description: 'Created', schema: Product } },
    handler: ({ body }, { res }) => {
      res.status(201).json(body)
    },
  })
  api.route({
    method: 'patch',
    path: '/v1/{resource}/{id}',
    summary: 'Change',
    params: z.object({ resource: z.string(), id: z.coerce.number().int() }),
    body: Product.partial(),
    bodyTypes: ['application/merge-patch+json'],
    responses: { 200: { description: 'Changed' } },
    handler: ({ body }, { res }) => {
      res.json(body)
    },
  })
  api.route({
    method: 'post',
    path: '/v1/{resource}:batchGet',
    summary: 'Several',
    params: z.object({ resource: z.string() }),
    body: z.strictObject({ ids: z.array(z.int()).max(5) }),
    responses: { 200: { description: 'Products' } },
    handler: ({ params, body }, { res }) => {
      res.json({ batchOf: params.resource, ids: body.ids })
    },
  })
  api.route({
    method: 'delete',
    path: '/v1/{resource}/{id}',
    summary: 'Fails',
    params: z.object({ resource: z.string(), id: z.string() }),
    responses: { 204: { description: 'Gone' } },
    handler: () => {
      z.string().parse(42, {})
      throw new Error('the password of postgres://u:hunter2@db/x is wrong')
    },
  })
}
