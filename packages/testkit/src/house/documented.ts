import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

import type { Received } from './exchange.js'
import type { ServiceProcess } from './service-process.js'

interface Operation {
  readonly responses: Readonly<Record<string, { content?: Readonly<Record<string, unknown>> }>>
}

/** A service's own OpenAPI document, to hold its answers against. */
export interface Documented {
  /** `get /v1/products/{id}` */
  readonly operations: readonly string[]
  /** What is wrong with the document itself. */
  readonly faults: unknown
  /** What is wrong with this answer, as text; empty: it is as documented. */
  mismatch(operation: string, answer: Received): string
}

const methods = ['get', 'post', 'put', 'patch', 'delete']
const pointer = (...parts: readonly string[]): string =>
  parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')

export async function documentedBy(service: ServiceProcess): Promise<Documented> {
  const document = (await service.get('/openapi.json')).json<{
    paths: Record<string, Record<string, Operation>>
  }>()
  const { valid, errors } = await new Validator().validate(structuredClone(document) as never)
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addSchema(document, 'openapi.json')

  return {
    operations: Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter((method) => methods.includes(method))
        .map((method) => `${method} ${path}`),
    ),
    faults: valid ? undefined : errors,
    mismatch(operation, answer) {
      const [method, path] = operation.split(' ') as [string, string]
      const responses = document.paths[path]?.[method]?.responses
      if (responses === undefined) return `${operation} is not documented`
      const status = String(answer.status)
      const response = responses[status] ?? responses['default']
      if (response === undefined) return `${status} is not documented for ${operation}`
      if (response.content === undefined) return answer.text === '' ? '' : `${status} has a body`
      const type = String(answer.headers['content-type']).split(';')[0]!
      if (response.content[type] === undefined) return `${status} is not documented as ${type}`
      const place = pointer('paths', path, method, 'responses', status in responses ? status : 'default')
      const $ref = `openapi.json#${place}${pointer('content', type, 'schema')}`
      return ajv.validate({ $ref }, answer.json()) ? '' : `${operation} ${status}: ${ajv.errorsText()}`
    },
  }
}
