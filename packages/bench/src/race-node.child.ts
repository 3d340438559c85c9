/** One node of a race between processes. Nothing is caught here: what a library lets escape ends the process. */
import { serveRaces } from '@tidemark/cache/testing'
import { runnerNamed } from './races/registry.js'

const [name, postgresUrl] = process.argv.slice(2)
serveRaces(runnerNamed(name!, postgresUrl!))
