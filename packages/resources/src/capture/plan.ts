/** From resource definitions to the migration that has their tables watched. Pure. */
import type { Capture } from '@tidemark/database'

import type { Resource } from '../define-resource.js'
import { captureOf } from './capture-of.js'
import { readWatched, unwatchStatement, watchStatement } from './statement.js'
import type { MigrationText, Watched } from './statement.js'

export interface CaptureMigration extends MigrationText {
  /** One line for each table: what differs. */
  readonly changes: readonly string[]
}

const namesMax = 3

/**
 * The migration that is missing, undefined when the migrations install what the resources declare. A table that is watched
 * and belongs to no resource is unwatched.
 */
export function planCapture(
  resources: readonly Resource[],
  migrations: readonly MigrationText[],
  now: Date,
): CaptureMigration | undefined {
  const installed = readWatched(migrations)
  const wanted = resources.map(captureOf)
  const changed = wanted.filter((capture) => differs(capture, installed.get(capture.table)))
  const removed = [...installed.keys()].filter((table) => wanted.every((capture) => capture.table !== table))
  if (changed.length + removed.length === 0) return undefined

  const changes = [
    ...changed.map((capture) => describe(capture, installed.get(capture.table))),
    ...removed.map((table) => `${table}: no resource is made of it any more`),
  ]
  const statements = [
    ...changed.map((capture) => watchStatement({ ...installed.get(capture.table), ...capture })),
    ...removed.map(unwatchStatement),
  ]
  return {
    name: nameOf([...changed.map(({ table }) => table), ...removed], migrations, now),
    sql: [
      '-- Written by "pnpm capture" from the resource definitions.',
      '--',
      ...changes.map((change) => `--   ${change}`),
      '',
      ...statements,
      '',
    ].join('\n'),
    changes,
  }
}

function differs(wanted: Capture, installed: Watched | undefined): boolean {
  return installed === undefined || signature(wanted) !== signature(installed)
}

const signature = ({ name, key, facets }: Capture): string =>
  JSON.stringify([name, key, Object.entries(facets).sort(([a], [b]) => (a < b ? -1 : 1))])

function describe(wanted: Capture, installed: Watched | undefined): string {
  if (installed === undefined) return `${wanted.table}: not watched yet`
  const parts: string[] = []
  if (installed.name !== wanted.name) parts.push(`name ${installed.name} -> ${wanted.name}`)
  if (installed.key !== wanted.key) parts.push(`key ${installed.key} -> ${wanted.key}`)
  for (const field of new Set([...Object.keys(wanted.facets), ...Object.keys(installed.facets)])) {
    const [before, after] = [installed.facets[field], wanted.facets[field]]
    if (before === after) continue
    parts.push(
      before === undefined ? `+ ${field}` : after === undefined ? `- ${field}` : `${field} from ${after}`,
    )
  }
  return `${wanted.table}: ${parts.join(', ')}`
}

/** `20261124161503_capture_product_brand`, after every migration that is there, whatever the clock says. */
function nameOf(tables: readonly string[], migrations: readonly MigrationText[], now: Date): string {
  const stamp = Number(now.toISOString().replace(/\D/g, '').slice(0, 14))
  const last = Math.max(0, ...migrations.map(({ name }) => Number(/^\d{14}/.exec(name)?.[0] ?? 0)))
  const more = tables.length > namesMax ? [`and_${tables.length - namesMax}_more`] : []
  return [Math.max(stamp, last + 1), 'capture', ...tables.slice(0, namesMax), ...more].join('_')
}
