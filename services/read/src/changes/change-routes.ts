import type { Registry } from '@tidemark/resources'
import type { Api } from '@tidemark/service'
import { z } from 'zod'
import { tokenParameter } from '../token-parameter.js'
import type { ChangeStreams } from './change-streams.js'

const tagsMax = 64
/** Longer than the tag of any facet. */
const tagLengthMax = 600

const place = tokenParameter('is no place in the log; send back the id of an event, such as 1-4711')

function resourceList(registry: Registry) {
  const known = registry.all.map(({ tagName }) => tagName)
  return z
    .string()
    .max(1_000)
    .transform((text, context) => {
      const names = text.split(',')
      const unknown = names.filter((name) => !known.includes(name))
      if (unknown.length === 0) return [...new Set(names)]
      context.addIssue({
        code: 'custom',
        message: `holds names that are not known; known are ${known.join(', ')}, to be parted by commas`,
      })
      return z.NEVER
    })
    .optional()
    .meta({ type: 'string', maxLength: 1_000, examples: [known.slice(0, 2).join(',')] })
    .describe('Only changes of these resources, by their names in tags.')
}

const tagList = z
  .array(
    z
      .string()
      .min(1)
      .max(tagLengthMax)
      .regex(/^[^\p{Cc}]*$/u, { error: 'must not hold control characters' }),
  )
  .max(tagsMax)
  .optional()
  .describe(
    'Only changes that touch one of these tags: product:42, product.categoryId=7. Repeat it for several. A change of everything about the resource passes too.',
  )

/** Documented as text: a stream of events has no schema of its own in OpenAPI 3.1. */
const stream = z
  .string()
  .describe(
    'Events `change` (resource, key, operation, tags, version, changedAt, token), `reset` (reason, token) and `heartbeat` (token, lagMs), each with JSON in `data`.',
  )

export function addChangeRoutes(api: Api, registry: Registry, streams: ChangeStreams): void {
  api.route({
    method: 'get',
    path: '/v1/changes',
    summary: 'Changes as they happen',
    description:
      'Server-sent events, each change once or more and in order. Without a place it begins now. At `reset` throw away what was derived before: changes were missed.',
    operationId: 'changes',
    tags: ['changes'],
    headers: z.object({
      'Last-Event-ID': place.describe('Begins after this event; an EventSource sends it by itself.'),
    }),
    query: z.strictObject({
      resource: resourceList(registry),
      tag: tagList,
      lastEventId: place.describe('The same, for a first connection that cannot send headers.'),
    }),
    responses: {
      200: {
        description: 'The stream, which does not end.',
        schema: stream,
        contentType: 'text/event-stream',
      },
    },
    problems: ['unavailable', 'overloaded'],
    handler: async ({ query, headers }, { req, res }) => {
      // An EventSource that connects again keeps the URL of its first connection.
      const from = headers['Last-Event-ID'] ?? query.lastEventId
      if (req.method === 'HEAD') res.type('text/event-stream').set('Cache-Control', 'no-store').end()
      else await streams.open(res, from, { resources: query.resource ?? [], tags: query.tag ?? [] })
    },
  })
}
