import { inspectCapture } from '@tidemark/database'
import type { CaptureFault, CatalogueQuery } from '@tidemark/database'

import type { Resource } from '../define-resource.js'
import { ResourceError } from '../errors.js'
import { captureOf } from './capture-of.js'
import { watchStatement } from './statement.js'

export interface CaptureFinding {
  /** A warning hinders no start: what it names is rare, and only a superuser can mend it. */
  readonly severity: 'error' | 'warning'
  /** Name of the resource; undefined where it is about the whole. */
  readonly resource?: string
  /** What is wrong, and what mends it, in one line. */
  readonly message: string
}

const applyMigrations = 'apply the migrations (pnpm --filter @tidemark/database migrate)'

/**
 * Whether the changes of each resource's table are captured as its definition needs: every trigger, on the table and on
 * each of its partitions. Empty when nothing is wrong. Four queries, of catalogues that every role may read; throws what
 * they throw.
 */
export async function checkCapture(
  query: CatalogueQuery,
  resources: readonly Resource[],
): Promise<CaptureFinding[]> {
  const faults = await inspectCapture(query, resources.map(captureOf))
  return faults.map((fault) => finding(fault, resources))
}

/**
 * The same at the start of a service: warnings are told, errors end the start.
 * Throws `resource.capture`, which names each resource, what is missing and what mends it.
 */
export async function requireCapture(
  query: CatalogueQuery,
  resources: readonly Resource[],
  warn: (message: string) => void,
): Promise<void> {
  const findings = await checkCapture(query, resources)
  for (const { severity, message } of findings) if (severity === 'warning') warn(message)
  const errors = findings.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return
  const issues = errors.map(({ message }) => ({ field: '', message }))
  throw new ResourceError('resource.capture', 'changes would be missed', issues)
}

function finding(fault: CaptureFault, resources: readonly Resource[]): CaptureFinding {
  switch (fault.kind) {
    case 'no-log':
      return { severity: 'error', message: `the change log is not there; ${applyMigrations}` }
    case 'no-event-trigger':
      return {
        severity: 'warning',
        message:
          `event triggers are missing or disabled (${fault.triggers.join(', ')}), so ALTER TABLE, ATTACH, DETACH and DROP go unseen; ` +
          'as a superuser run SELECT tidemark.watch_definitions(), or tidemark.watch() a table again after each of them',
      }
    default:
      return ofTable(fault, resources)
  }
}

type TableFault = Extract<CaptureFault, { table: string }>

function ofTable(fault: TableFault, resources: readonly Resource[]): CaptureFinding {
  const resource = resources.find((one) => captureOf(one).table === fault.table)!
  const statement = watchStatement(captureOf(resource)).slice(0, -1)
  const told = (place: string, problem: string, mend: string): CaptureFinding => ({
    severity: 'error',
    resource: resource.name,
    message: `resource ${resource.name}, table ${place}: ${problem}; ${mend}`,
  })
  const byMigration = `run "pnpm capture" and ${applyMigrations}, or run ${statement}`
  switch (fault.kind) {
    case 'no-table':
      return told(fault.table, 'it does not exist', `add a migration that creates it, and ${applyMigrations}`)
    case 'not-watched':
      return told(fault.place, 'it has no triggers that capture its changes', byMigration)
    case 'differs':
      return told(fault.place, fault.problem, byMigration)
    case 'trigger':
      return told(fault.place, fault.problem, `run ${statement}`)
    case 'forgotten':
      return told(
        fault.place,
        'tidemark.watched does not have it, so its ALTER and DROP go unseen',
        `run ${statement}`,
      )
  }
}
