import { Router, type RequestHandler } from 'express'
import type { z } from 'zod'
import { jsonBody } from '../http/json-body.js'
import { contextOf } from '../logging/request-context.js'
import { methodNotAllowed } from '../problems/method-not-allowed.js'
import { ServiceError } from '../service-error.js'
import { openApiDocument, type AnyRoute, type ApiInfo, type OpenApiDocument } from './document.js'
import { parseRequest } from './parse-request.js'
import { bySpecificity, expressPath, shapeOf } from './path-pattern.js'
import type { Absent, Route } from './route.js'

/** The endpoints of a service, declared once: mounted, parsed and documented from the same schemas. */
export interface Api {
  /** @throws ServiceError `route_conflict` when the route is there already, or its path under other names. */
  route<
    P extends z.ZodType = Absent,
    Q extends z.ZodType = Absent,
    H extends z.ZodType = Absent,
    B extends z.ZodType = Absent,
  >(
    route: Route<P, Q, H, B>,
  ): void
  /** Everything declared so far, the most literal path first. Other methods on these paths are answered 405. */
  router(): Router
  /** The OpenAPI 3.1 document of everything declared so far. */
  document(): OpenApiDocument
}

export interface ApiOptions extends ApiInfo {
  /** Largest body accepted, after decompression. Default 256 KiB. */
  readonly bodyLimitBytes?: number
}

const DEFAULT_BODY_LIMIT_BYTES = 262_144

export function createApi({ bodyLimitBytes = DEFAULT_BODY_LIMIT_BYTES, ...info }: ApiOptions): Api {
  const routes: AnyRoute[] = []

  return {
    route: (given) => {
      const route = given as unknown as AnyRoute
      expressPath(route.path)
      const same = routes.find(({ path }) => shapeOf(path) === shapeOf(route.path))
      if (same !== undefined && same.path !== route.path) {
        throw new ServiceError('route_conflict', `${route.path} and ${same.path} match the same URLs`)
      }
      if (routes.some(({ method, path }) => method === route.method && path === route.path)) {
        throw new ServiceError('route_conflict', `${route.method} ${route.path} is declared twice`)
      }
      routes.push(route)
    },
    router: () => {
      const router = Router()
      for (const path of [...new Set(routes.map((route) => route.path))].sort(bySpecificity)) {
        const there = routes.filter((route) => route.path === path)
        const mounted = router.route(expressPath(path))
        for (const route of there) mounted[route.method](...handlersOf(route, bodyLimitBytes))
        mounted.all(
          methodNotAllowed(
            path,
            there.map(({ method }) => method.toUpperCase()),
          ),
        )
      }
      return router
    },
    document: () => openApiDocument(info, routes),
  }
}

function handlersOf(route: AnyRoute, bodyLimitBytes: number): RequestHandler[] {
  const { path, guard, body, bodyTypes = ['application/json'], handler } = route
  const named: RequestHandler = (req, _res, next) => {
    contextOf(req).route = path
    next()
  }
  const answer: RequestHandler = async (req, res) => {
    await handler(parseRequest(route, req), { req, res, context: contextOf(req) })
  }
  const reading =
    body === undefined
      ? []
      : jsonBody({ types: bodyTypes, limitBytes: route.bodyLimitBytes ?? bodyLimitBytes })
  return [named, ...(guard === undefined ? [] : [guard]), ...reading, answer]
}
