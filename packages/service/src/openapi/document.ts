import { OpenApiGeneratorV31, OpenAPIRegistry, type RouteConfig } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'
import { problemTypes, type ProblemKind } from '../problems/problem-types.js'
import { problemSchema } from './problem-schema.js'
import type { Route, RouteResponse } from './route.js'

export interface ApiInfo {
  readonly title: string
  readonly version: string
  readonly description?: string
}

/** A route with its types forgotten. */
export type AnyRoute = Route<z.ZodType, z.ZodType, z.ZodType, z.ZodType>

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>

/** The OpenAPI 3.1 document of these routes, made from the schemas that parse their requests. */
export function openApiDocument(info: ApiInfo, routes: readonly AnyRoute[]): OpenApiDocument {
  const registry = new OpenAPIRegistry()
  if (routes.some(({ guard }) => guard !== undefined))
    registry.registerComponent('securitySchemes', guarded, { type: 'http', scheme: 'bearer' })
  for (const route of routes) registry.registerPath(pathOf(route))
  const generator = new OpenApiGeneratorV31(registry.definitions, { sortComponents: 'alphabetically' })
  const document = generator.generateDocument({
    openapi: '3.1.0',
    info: { ...info },
    servers: [{ url: '/' }],
  })
  for (const route of routes) stateRequired(route, document)
  return document
}

/** The scheme of routes that have a guard. */
const guarded = 'bearer'

interface Parameter {
  name: string
  in: string
  required?: boolean
  schema?: { type?: unknown; default?: unknown }
}

/**
 * A coerced field takes anything, so the generator calls it optional and nullable. A parameter is text or absent: it
 * is required iff its schema refuses absence, its default is what absence is parsed to, and it is never null.
 */
function stateRequired(route: AnyRoute, document: OpenApiDocument): void {
  const shapes = { path: shapeOf(route.params), query: shapeOf(route.query), header: shapeOf(route.headers) }
  const operation = document.paths?.[route.path]?.[route.method]
  for (const parameter of (operation?.parameters ?? []) as Parameter[]) {
    const field = shapes[parameter.in as keyof typeof shapes]?.[parameter.name]
    if (field === undefined) continue
    const absent = z.safeParse(field, undefined)
    parameter.required = parameter.in === 'path' || !absent.success
    const schema = parameter.schema
    if (schema === undefined) continue
    if (absent.success && absent.data !== undefined) schema.default = absent.data
    if (Array.isArray(schema.type)) {
      const types = schema.type.filter((name) => name !== 'null') as string[]
      schema.type = types.length === 1 ? types[0] : types
    }
  }
}

function shapeOf(schema: z.ZodType | undefined): Readonly<Record<string, z.core.$ZodType>> | undefined {
  return schema instanceof z.ZodObject ? schema.shape : undefined
}

function pathOf(route: AnyRoute): RouteConfig {
  const { method, path, summary, description, operationId, tags, params, query, headers, body } = route
  const request = {
    ...(params === undefined ? {} : { params: params as z.ZodObject }),
    ...(query === undefined ? {} : { query: query as z.ZodObject }),
    ...(headers === undefined ? {} : { headers: headers as z.ZodObject }),
    ...(body === undefined
      ? {}
      : { body: { required: true, content: contentOf(route.bodyTypes ?? ['application/json'], body) } }),
  }
  return {
    method,
    path,
    summary,
    operationId: operationId ?? operationName(method, path),
    ...(description === undefined ? {} : { description }),
    ...(tags === undefined ? {} : { tags: [...tags] }),
    request,
    ...(route.guard === undefined ? {} : { security: [{ [guarded]: [] }] }),
    responses: { ...problemsOf(route), ...responsesOf(route.responses) },
  }
}

function responsesOf(responses: AnyRoute['responses']): RouteConfig['responses'] {
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]) => [status, responseOf(response)]),
  )
}

function responseOf({ description, schema, contentType = 'application/json', headers }: RouteResponse) {
  return {
    description,
    ...(headers === undefined ? {} : { headers }),
    ...(schema === undefined ? {} : { content: contentOf([contentType], schema) }),
  }
}

function problemsOf(route: AnyRoute): RouteConfig['responses'] {
  const hasParameters = [route.params, route.query, route.headers].some((schema) => schema !== undefined)
  const kinds: ProblemKind[] = [
    ...(hasParameters || route.body !== undefined ? (['invalid-parameter'] as const) : []),
    ...(route.body === undefined
      ? []
      : (['body-too-large', 'unsupported-media-type', 'invalid-body'] as const)),
    ...(route.problems ?? []),
  ]
  const content = contentOf(['application/problem+json'], problemSchema)
  const named = kinds.map((kind) => {
    const { status, title } = problemTypes[kind]
    return [String(status), { description: title, content }] as const
  })
  return { ...Object.fromEntries(named), default: { description: 'Any other problem', content } }
}

function contentOf(types: readonly string[], schema: z.ZodType) {
  return Object.fromEntries(types.map((type) => [type, { schema }]))
}

/** `get /v1/{resource}:batchGet` → `getV1ResourceBatchGet` */
function operationName(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}
