/** The endpoints of each resource, from its one declaration. */
import type { Cache, Tide } from '@tidemark/cache'
import type { Id, Representation, Resource } from '@tidemark/resources'
import { idPath, joinBodies } from '@tidemark/resources'
import type { Api } from '@tidemark/service'
import { Problem } from '@tidemark/service'
import { z } from 'zod'
import type { Origin } from './origin.js'
import type { Policies } from './policies.js'
import { answerHeaders, freshnessHeaders, listQuery } from './request-parts.js'
import type { Freshness } from './request-parts.js'
import { isOfLaterTerm, lagFrom, sendBody, storyOf, tellFreshness } from './respond.js'

export interface RouteOptions {
  readonly cache: Cache
  readonly tide: Tide
  readonly policies: Policies
  readonly origin: Origin
}

/** Most ids in one batch. */
const batchMax = 100

export function addRoutes(
  api: Api,
  resource: Resource,
  { cache, tide, policies, origin }: RouteOptions,
): void {
  const { path, name, tagName, schemas } = resource
  const tags = [name]

  api.route({
    method: 'get',
    path: `${path}/{id}`,
    summary: `One ${tagName}`,
    operationId: `get_${tagName}`,
    tags,
    params: idPath(resource),
    headers: freshnessHeaders,
    responses: {
      200: { description: 'The row.', schema: schemas.row, headers: answerHeaders },
      304: { description: 'The client has it already.' },
    },
    problems: ['not-found', 'unavailable'],
    handler: async ({ params: { id }, headers }, exchange) => {
      const lagOf = lagFrom(tide, isStrict(headers, policies.one(resource)))
      const answer = await cache.read<Representation | null>({
        key: resource.entityKey(id),
        tags: resource.tags.entity(id),
        ...freshness(headers, policies.one(resource)),
        load: () => origin.one(id),
      })
      const story = storyOf(answer, lagOf(answer), headers.Tidemark)
      if (answer.value == null) {
        tellFreshness(exchange.res, story)
        throw new Problem('not-found', {
          detail: `There is no ${tagName} ${id}.`,
          errors: [{ in: 'path', field: 'id', message: 'names nothing', given: id }],
        })
      }
      sendBody(exchange, story, answer.value.body, answer.value.etag)
    },
  })

  api.route({
    method: 'get',
    path,
    summary: `A page of ${name}`,
    operationId: `list_${name}`,
    tags,
    headers: freshnessHeaders,
    query: listQuery(resource),
    responses: {
      200: { description: 'The page.', schema: schemas.page, headers: answerHeaders },
      304: { description: 'The client has it already.' },
    },
    problems: ['unavailable'],
    handler: async ({ query: given, headers }, exchange) => {
      const lagOf = lagFrom(tide, isStrict(headers, policies.list(resource)))
      const query = resource.parseListQuery(new URLSearchParams(given as Record<string, string>).toString())
      const answer = await cache.read<Representation>({
        key: resource.listKey(query),
        tags: resource.tags.list(query),
        ...freshness(headers, policies.list(resource)),
        load: () => origin.list(query),
      })
      sendBody(
        exchange,
        storyOf(answer, lagOf(answer), headers.Tidemark),
        answer.value!.body,
        answer.value!.etag,
      )
    },
  })

  api.route({
    method: 'post',
    path: `${path}:batchGet`,
    summary: `Several ${name} by id`,
    description: 'Rows in the order of the ids; ids without a row are listed in `missing`.',
    operationId: `batchGet_${name}`,
    tags,
    headers: freshnessHeaders,
    body: z.strictObject({
      ids: z
        .array(schemas.id as z.ZodType<Id>)
        .min(1)
        .max(batchMax),
    }),
    responses: {
      200: {
        description: 'The rows.',
        schema: z.strictObject({ data: z.array(schemas.row), missing: z.array(schemas.id) }),
        headers: answerHeaders.omit({ ETag: true }),
      },
    },
    problems: ['invalid-body', 'unavailable'],
    handler: async ({ body, headers }, { res }) => {
      const lagOf = lagFrom(tide, isStrict(headers, policies.one(resource)))
      const ids = [...new Set(body.ids)]
      const byKey = new Map(ids.map((id) => [resource.entityKey(id), id]))
      const { answers, token, historyLost } = await cache.readMany<Representation | null>({
        keys: [...byKey.keys()],
        tags: (key) => resource.tags.entity(byKey.get(key)!),
        ...freshness(headers, policies.one(resource)),
        load: async (missing) => {
          const rows = await origin.many(missing.map((key) => byKey.get(key)!))
          return new Map(missing.map((key) => [key, rows.get(byKey.get(key)!) ?? null]))
        },
      })
      const all = [...answers.values()]
      const bodies = all.flatMap(({ value }) => (value == null ? [] : [value.body]))
      const missing = [...byKey].filter(([key]) => answers.get(key)?.value == null).map(([, id]) => id)
      const story = leastFresh(all.map((answer) => storyOf(answer, lagOf(answer), headers.Tidemark)))
      tellFreshness(res, {
        ...story,
        // What was graced is as fresh as no token.
        token: story.cache === 'graced' ? undefined : token,
        isHistoryLost: historyLost || isOfLaterTerm(token, headers.Tidemark),
      })
      const json = Buffer.concat([
        Buffer.from('{"data":'),
        joinBodies(bodies),
        Buffer.from(`,"missing":${JSON.stringify(missing)}}`),
      ])
      res.type('json').send(json)
    },
  })
}

function freshness(
  { Tidemark: token, 'Tidemark-Level': level }: Freshness,
  policy: ReturnType<Policies['one']>,
) {
  return { policy, ...(token && { token }), ...(level && { level }) }
}

const isStrict = ({ 'Tidemark-Level': level }: Freshness, policy: ReturnType<Policies['one']>): boolean =>
  (level ?? policy.level) === 'strict'

/** The whole is as fresh as its least fresh part. */
function leastFresh(stories: ReturnType<typeof storyOf>[]): ReturnType<typeof storyOf> {
  const rank = { hit: 0, miss: 1, graced: 2 } as const
  return stories.reduce((worst, story) => ({
    ...(rank[story.cache] > rank[worst.cache] ? story : worst),
    ageMs: Math.max(worst.ageMs, story.ageMs),
    ttlMs: Math.min(worst.ttlMs, story.ttlMs),
    lagMs: Math.max(worst.lagMs, story.lagMs),
  }))
}
