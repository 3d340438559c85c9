/** Command: brings the database named by DATABASE_URL up to date. One line on failure, exit code 1. */
import { readConfig } from './config.js'
import { messageOf } from './errors.js'
import { migrate } from './migrate.js'

try {
  const { applied, present, unknown } = await migrate(readConfig().url)
  for (const name of applied) console.log(`applied ${name}`)
  if (applied.length === 0) console.log(`the database is up to date (${present} migrations)`)
  if (unknown.length > 0) console.warn(`the database is ahead of this program: it has ${unknown.join(', ')}`)
} catch (error) {
  console.error(`migrate: ${messageOf(error)}`)
  process.exitCode = 1
}
