import type { Registry } from '@tidemark/resources'
import type { Health, Logger, Metrics } from '@tidemark/service'
import { createApi, createApp } from '@tidemark/service'
import type { Express } from 'express'
import type { RunCommand } from './commands/run-command.js'
import { translate } from './problems.js'
import { addRoutes } from './routes.js'

export interface WriteAppOptions {
  readonly registry: Registry
  readonly run: RunCommand
  readonly idempotencyTtlMs: number
  readonly logger: Logger
  readonly metrics: Metrics
  readonly health: Health
}

export function createWriteApp({ registry, logger, metrics, health, ...options }: WriteAppOptions): Express {
  const api = createApi({
    title: 'Tidemark write service',
    version: '1',
    description: 'Commands. Each answer carries a token that the read service takes.',
  })
  for (const resource of registry.all) addRoutes(api, resource, options)
  return createApp({ logger, api, health, metrics, translate })
}
