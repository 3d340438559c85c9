import type { Request, RequestHandler, Response } from 'express'
import type { z } from 'zod'
import type { RequestContext } from '../logging/request-context.js'
import type { ProblemKind } from '../problems/problem-types.js'

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** The schema of a part that a route does not have. */
export type Absent = z.ZodUndefined

/** One endpoint: what is documented is what is parsed. */
export interface Route<
  P extends z.ZodType = Absent,
  Q extends z.ZodType = Absent,
  H extends z.ZodType = Absent,
  B extends z.ZodType = Absent,
> {
  readonly method: Method
  /** As OpenAPI writes it: `/v1/{resource}/{id}`, `/v1/{resource}:batchGet`. */
  readonly path: string
  /** Runs before anything else of the request is read, and throws the problem that refuses it. */
  readonly guard?: RequestHandler
  readonly summary: string
  readonly description?: string
  readonly operationId?: string
  readonly tags?: readonly string[]
  readonly params?: P
  /** Give a `z.strictObject` to refuse unknown parameters. A parameter sent twice is refused unless it is an array. */
  readonly query?: Q
  /** Keys in any case; the handler reads them as written here. */
  readonly headers?: H
  readonly body?: B
  /** Default `['application/json']`. */
  readonly bodyTypes?: readonly string[]
  /** Default: that of the API. */
  readonly bodyLimitBytes?: number
  /** By status code. Problems need not be listed. */
  readonly responses: Readonly<Record<number, RouteResponse>>
  /** Problems worth naming beside those that every route can give. */
  readonly problems?: readonly ProblemKind[]
  readonly handler: (input: RouteInput<P, Q, H, B>, exchange: RouteExchange) => Promise<void> | void
}

export interface RouteResponse {
  readonly description: string
  readonly schema?: z.ZodType
  /** Default `application/json`, if there is a schema. */
  readonly contentType?: string
  readonly headers?: z.ZodObject
}

/** The parsed parts. */
export interface RouteInput<
  P extends z.ZodType,
  Q extends z.ZodType,
  H extends z.ZodType,
  B extends z.ZodType,
> {
  readonly params: z.output<P>
  readonly query: z.output<Q>
  readonly headers: z.output<H>
  readonly body: z.output<B>
}

export interface RouteExchange {
  readonly req: Request
  readonly res: Response
  readonly context: RequestContext
}
