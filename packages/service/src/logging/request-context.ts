import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import { parseTraceparent, type TraceContext } from './trace-context.js'

/** What is known about one request besides its bytes. */
export interface RequestContext {
  /** The caller's `X-Request-Id` if it is well formed, otherwise a fresh UUID. */
  readonly id: string
  readonly trace: TraceContext | undefined
  /** Monotonic milliseconds. */
  readonly startedAt: number
  /** The pattern that matched, such as `/v1/{resource}/{id}`; undefined while none has. */
  route: string | undefined
}

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/

/** Hangs on the request object itself, so it costs nothing until someone asks and needs no async hooks. */
const contexts = new WeakMap<IncomingMessage, RequestContext>()

export function contextOf(req: IncomingMessage): RequestContext {
  let context = contexts.get(req)
  if (context === undefined) {
    context = {
      id: requestId(req.headers['x-request-id']),
      trace: parseTraceparent(single(req.headers.traceparent)),
      startedAt: performance.now(),
      route: undefined,
    }
    contexts.set(req, context)
  }
  return context
}

/** The fields that tie a log line to its request and trace. */
export function contextFields(context: RequestContext): Record<string, string> {
  const { id, trace } = context
  return trace === undefined
    ? { request_id: id }
    : { request_id: id, trace_id: trace.traceId, span_id: trace.parentId }
}

/** A logger whose lines carry the request's id and trace. */
export function requestLogger(logger: Logger, req: IncomingMessage): Logger {
  return logger.child(contextFields(contextOf(req)))
}

function requestId(header: string | string[] | undefined): string {
  const given = single(header)
  return given !== undefined && REQUEST_ID.test(given) ? given : randomUUID()
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? undefined : header
}
