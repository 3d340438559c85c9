import { createDatabase } from '@tidemark/database'
import type { Flush, LiveFollower, LogDatabase } from '@tidemark/log'
import { createLogReader, readRoster } from '@tidemark/log'
import { catalogue } from '@tidemark/resources'
import type { Logger, Metrics } from '@tidemark/service'
import type { Reader } from '../reader/reader.js'
import type { HotIndex } from '../warm/hot-index.js'
import { anyRowId } from './any-row.js'
import { auditMetrics } from './audit-metrics.js'
import { createAuditor } from './auditor.js'
import type { Finding } from './auditor.js'
import { httpTarget } from './http-target.js'
import type { HttpTargetRules } from './http-target.js'
import { keySampler } from './key-sampler.js'
import { reportOf, told } from './report.js'
import type { AuditReport } from './report.js'
import type { AuditTarget } from './target.js'
import { tidemarkTarget } from './tidemark-target.js'

interface OwnReaders {
  readonly reader: Reader
  readonly hot: HotIndex
  readonly databaseUrl: string
  readonly log: LogDatabase
  readonly flush: Flush
  readonly tide: LiveFollower
  readonly redis: Parameters<typeof readRoster>[0]
  readonly prefix: string
}

export interface AuditOptions {
  /** Left out: our own readers are not audited. */
  readonly own: OwnReaders | undefined
  /** Caches of others. */
  readonly targets: readonly HttpTargetRules[]
  /** Of each target. 0: nothing is audited. */
  readonly samplesPerSecond: number
  readonly horizonsMs: readonly number[]
  readonly metrics: Metrics
  readonly logger: Logger
}

export interface Auditing {
  report(): AuditReport
  stop(): Promise<void>
}

/** Two samples a second need no more. */
const connections = 2

export function startAuditor(options: AuditOptions): Auditing {
  const { own, targets, samplesPerSecond, horizonsMs, metrics, logger } = options
  const isOn = samplesPerSecond > 0
  const ours = isOn && own !== undefined ? openOwn(own) : undefined
  const audited = [
    ...(ours === undefined ? [] : [ours.target]),
    ...(isOn ? targets.map((each) => httpTarget(each)) : []),
  ]
  const auditors = audited.map((target) =>
    createAuditor({
      target,
      samplesPerSecond,
      horizonsMs,
      onBroken: (finding) => {
        alarm(logger, target, finding)
      },
      onError: (error) => {
        logger.debug({ err: error, target: target.name }, 'an audit could not be made')
      },
    }),
  )
  auditMetrics(metrics, auditors)
  return {
    report: () => reportOf(auditors),
    async stop() {
      await Promise.all(auditors.map((auditor) => auditor.stop()))
      await ours?.close()
    },
  }
}

function alarm(logger: Logger, { name }: AuditTarget, finding: Finding): void {
  logger.error(
    { target: name, finding: told(finding) },
    `an answer was older than it may be: ${finding.key}; GET /v1/audit shows what is known of it`,
  )
}

function openOwn({ reader, hot, databaseUrl, log, flush, tide, redis, prefix }: OwnReaders) {
  const database = createDatabase({
    url: databaseUrl,
    name: 'tidemark-auditor',
    maxConnections: connections,
  })
  // An old connection may lead to a deposed primary, whose truth is none.
  const unlisten = tide.listen((event) => {
    if (event.kind === 'adopted') database.renew()
  })
  const sampler = keySampler({
    registry: catalogue,
    tide,
    hot,
    anyRow: (resource) => anyRowId(database, resource),
  })
  const target = tidemarkTarget({
    registry: catalogue,
    database,
    reader,
    log: createLogReader(log),
    flush: async () => (await flush.flush()).token,
    sampler,
    followers: () => readRoster(redis, prefix),
  })
  return {
    target,
    async close() {
      unlisten()
      sampler.stop()
      await database.close()
    },
  }
}
