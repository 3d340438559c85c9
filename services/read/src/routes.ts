/** The endpoints of each resource, from its one declaration. */
import type { Cache, LoadContext, Tide } from '@tidemark/cache'
import type { Registry, Representation, Resource } from '@tidemark/resources'
import { idPath, joinBodies, shownSchema } from '@tidemark/resources'
import type { Api } from '@tidemark/service'
import { Problem } from '@tidemark/service'
import { z } from 'zod'
import type { Loaded, Origin } from './origin.js'
import type { Policies } from './policies.js'
import { answerHeaders, batchBody, freshnessHeaders, listQuery, rowQuery } from './request-parts.js'
import type { Freshness } from './request-parts.js'
import { isOfLaterTerm, lagFrom, sendBody, storyOf, tellFreshness } from './respond.js'
import type { SurrogateOf } from './surrogate-keys.js'

export interface RouteOptions {
  readonly registry: Registry
  readonly cache: Cache
  readonly tide: Tide
  readonly policies: Policies
  readonly origin: Origin
  readonly surrogateOf: SurrogateOf
}

export function addRoutes(
  api: Api,
  resource: Resource,
  { registry, cache, tide, policies, origin, surrogateOf }: RouteOptions,
): void {
  const { path, name, tagName, schemas } = resource
  const tags = [name]
  const row = shownSchema(resource, registry.relations(resource))

  api.route({
    method: 'get',
    path: `${path}/{id}`,
    summary: `One ${tagName}`,
    operationId: `get_${tagName}`,
    tags,
    params: idPath(resource),
    headers: freshnessHeaders,
    query: rowQuery(resource),
    responses: {
      200: { description: 'The row.', schema: row, headers: answerHeaders },
      304: { description: 'The client has it already.' },
    },
    problems: ['not-found', 'unavailable'],
    handler: async ({ params: { id }, query: { include = [] }, headers }, exchange) => {
      const view = registry.view(resource, include)
      const policy = policies.one(view)
      const lagOf = lagFrom(tide, isStrict(headers, policy))
      const answer = await cache.read<Representation | null>({
        key: resource.entityKey(id, include),
        tags: resource.tags.entity(id),
        ...freshness(headers, policy),
        load: async (context) => tagged(context, await origin.one(view, id)),
      })
      const story = {
        ...storyOf(answer, lagOf(answer), headers.Tidemark),
        surrogate: surrogateOf(answer.tags, answer.ttlLeftMs, isForAll(headers)),
      }
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
      200: {
        description: 'The page.',
        schema: schemas.page.extend({ data: z.array(row) }),
        headers: answerHeaders,
      },
      304: { description: 'The client has it already.' },
    },
    problems: ['unavailable'],
    handler: async ({ query: given, headers }, exchange) => {
      const query = resource.parseListQuery(new URLSearchParams(given as Record<string, string>).toString())
      const view = registry.view(resource, query.include)
      const policy = policies.list(view)
      const lagOf = lagFrom(tide, isStrict(headers, policy))
      const answer = await cache.read<Representation>({
        key: resource.listKey(query),
        tags: resource.tags.list(query),
        ...freshness(headers, policy),
        load: async (context) => tagged(context, await origin.list(view, query)),
      })
      const story = {
        ...storyOf(answer, lagOf(answer), headers.Tidemark),
        surrogate: surrogateOf(answer.tags, answer.ttlLeftMs, isForAll(headers)),
      }
      sendBody(exchange, story, answer.value!.body, answer.value!.etag)
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
    body: batchBody(resource),
    responses: {
      200: {
        description: 'The rows.',
        schema: z.strictObject({ data: z.array(row), missing: z.array(schemas.id) }),
        headers: answerHeaders.omit({ ETag: true }),
      },
    },
    problems: ['invalid-body', 'unavailable'],
    handler: async ({ body: { include = [], ...body }, headers }, { res }) => {
      const view = registry.view(resource, include)
      const policy = policies.one(view)
      const lagOf = lagFrom(tide, isStrict(headers, policy))
      const ids = [...new Set(body.ids)]
      const byKey = new Map(ids.map((id) => [resource.entityKey(id, include), id]))
      const shownTags = new Map<string, readonly string[]>()
      const { answers, token, historyLost } = await cache.readMany<Representation | null>({
        keys: [...byKey.keys()],
        tags: (key) => resource.tags.entity(byKey.get(key)!),
        // Only then: what nothing is revealed of is shared with more calls.
        ...(include.length > 0 && { revealedTags: (_, key) => shownTags.get(key) ?? [] }),
        ...freshness(headers, policy),
        load: async (missing) => {
          const rows = await origin.many(
            view,
            missing.map((key) => byKey.get(key)!),
          )
          const loaded = missing.map((key) => [key, rows.get(byKey.get(key)!)!] as const)
          for (const [key, row] of loaded) shownTags.set(key, row.shownTags)
          return new Map(loaded.map(([key, row]) => [key, row.value]))
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

/** The value, once the cache has been told what it depends on beside what was known before. */
function tagged<T>(context: LoadContext, { value, shownTags }: Loaded<T>): T {
  context.setTags(shownTags)
  return value
}

function freshness(
  { Tidemark: token, 'Tidemark-Level': level }: Freshness,
  policy: ReturnType<Policies['one']>,
) {
  return { policy, ...(token && { token }), ...(level && { level }) }
}

const isStrict = ({ 'Tidemark-Level': level }: Freshness, policy: ReturnType<Policies['one']>): boolean =>
  (level ?? policy.level) === 'strict'

/** Another client that asks the same may be given the same. */
const isForAll = ({ Tidemark: token, 'Tidemark-Level': level }: Freshness): boolean =>
  token === undefined && level === undefined

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
