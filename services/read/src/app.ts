import type { Cache } from '@tidemark/cache'
import type { Database } from '@tidemark/database'
import type { Registry } from '@tidemark/resources'
import type { FirstHandler, Health, Logger, Metrics } from '@tidemark/service'
import { createApi, createApp } from '@tidemark/service'
import type { Express } from 'express'
import { addChangeRoutes } from './changes/change-routes.js'
import type { ChangeStreams } from './changes/change-streams.js'
import type { HeatMeter } from './heat/heat-meter.js'
import { createHitPath } from './hit-path.js'
import { createOrigin } from './origin.js'
import { createPolicies } from './policies.js'
import { translate } from './problems.js'
import { addRoutes } from './routes.js'
import { createSurrogateOf } from './surrogate-keys.js'
import type { Tide } from '@tidemark/cache'

export interface ReadAppOptions {
  readonly registry: Registry
  readonly cache: Cache
  readonly tide: Tide
  readonly database: Database
  /** Left out: there is no change feed. */
  readonly changes?: ChangeStreams
  readonly logger: Logger
  readonly metrics: Metrics
  readonly health: Health
  /** Answers carry the header `Surrogate-Key`. */
  readonly hasSurrogateKeys?: boolean
  /** Left out: nobody wants to know what is hot. */
  readonly heat?: HeatMeter
}

export interface ReadApp {
  readonly app: Express
  /** Answers plain hits ahead of `app`. */
  readonly first: FirstHandler
}

export function createReadApp(options: ReadAppOptions): ReadApp {
  const { registry, cache, tide, database, changes, logger, metrics, health, heat } = options
  const policies = createPolicies(registry)
  const surrogateOf = createSurrogateOf(options.hasSurrogateKeys === true)
  const api = createApi({
    title: 'Tidemark read service',
    version: '1',
    description: 'Resources through the cache. Each answer says how fresh it is.',
  })
  const origin = createOrigin(registry, database)
  for (const resource of registry.all)
    addRoutes(api, resource, { registry, cache, tide, policies, origin, surrogateOf })
  if (changes !== undefined) addChangeRoutes(api, registry, changes)
  return {
    app: createApp({ logger, api, health, metrics, translate }),
    first: createHitPath({ cache, tide, policies, metrics, surrogateOf, heat }),
  }
}
