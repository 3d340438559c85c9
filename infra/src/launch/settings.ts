import { randomBytes } from 'node:crypto'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { InfraError } from '../stores/store.js'

export const SERVICES = ['write', 'read', 'invalidation'] as const
export type ServiceName = (typeof SERVICES)[number]

const DEFAULT_PORTS: Readonly<Record<ServiceName, number>> = { write: 4001, read: 4002, invalidation: 4003 }

const adminTokenBytes = 12

export const portVariable = (service: ServiceName): string => `${service.toUpperCase()}_PORT`

export interface LaunchSettings {
  /** The repository. */
  readonly root: string
  /** Data and logs; `.tidemark` in the repository unless `TIDEMARK_FOLDER` says otherwise. */
  readonly folder: string
  readonly ports: Readonly<Record<ServiceName, number>>
  readonly databaseUrl: string | undefined
  readonly redisUrl: string | undefined
  /** For what operators use; a new one each time unless `ADMIN_TOKEN` says otherwise. */
  readonly adminToken: string
  /** Stop once the demonstration has been shown: for tests. */
  readonly exitAfterDemo: boolean
  /** Run the services from their sources and restart them when those change. */
  readonly watch: boolean
}

function portOf(service: ServiceName, env: NodeJS.ProcessEnv): number {
  const text = env[portVariable(service)]
  if (!text) return DEFAULT_PORTS[service]
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw new InfraError(
    'port_invalid',
    `${portVariable(service)} is "${text}": a port is a whole number from 1 to 65535`,
  )
}

/** Reads what the environment and the command line ask for. @throws InfraError `port_invalid` */
export function launchSettings(env: NodeJS.ProcessEnv, args: readonly string[]): LaunchSettings {
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const folder = env['TIDEMARK_FOLDER'] ?? '.tidemark'
  const ports = {
    write: portOf('write', env),
    read: portOf('read', env),
    invalidation: portOf('invalidation', env),
  }
  for (const [one, other] of [
    ['write', 'read'],
    ['write', 'invalidation'],
    ['read', 'invalidation'],
  ] as const) {
    if (ports[one] !== ports[other]) continue
    const both = `${portVariable(one)} and ${portVariable(other)}`
    throw new InfraError('port_invalid', `${both} are both ${String(ports[one])}: give each its own port`)
  }
  return {
    root,
    folder: isAbsolute(folder) ? folder : join(root, folder),
    ports,
    databaseUrl: env['DATABASE_URL'] || undefined,
    redisUrl: env['REDIS_URL'] || undefined,
    adminToken: env['ADMIN_TOKEN'] || randomBytes(adminTokenBytes).toString('hex'),
    exitAfterDemo: args.includes('--exit-after-demo'),
    watch: args.includes('--watch'),
  }
}
