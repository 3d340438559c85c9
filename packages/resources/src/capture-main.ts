/**
 * Command: writes the migration that has the tables of the resources watched as their definitions say, if it is missing.
 * `--check` writes nothing and exits with 1 when it is. `--folder` names other migrations than the database package's.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

import { migrationsFolder, readMigrations } from '@tidemark/database'

import { readArguments } from './capture/config.js'
import { planCapture } from './capture/plan.js'
import { catalogue } from './catalogue/index.js'

try {
  const { isCheck, folder = migrationsFolder } = readArguments(process.argv.slice(2))
  const migration = planCapture(catalogue.all, await readMigrations(folder), new Date())
  if (migration === undefined) {
    console.log(`capture: the migrations install what the ${catalogue.all.length} resources declare`)
  } else if (isCheck) {
    for (const change of migration.changes) console.error(`capture: ${change}`)
    console.error('capture: a migration is missing; run "pnpm capture" and commit what it writes')
    process.exitCode = 1
  } else {
    const path = join(folder, migration.name)
    await mkdir(path)
    await writeFile(join(path, 'migration.sql'), migration.sql)
    console.log(`capture: wrote ${relative('', join(path, 'migration.sql'))}\n\n${migration.sql.trimEnd()}`)
  }
} catch (error) {
  console.error(`capture: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
