import { STORES_VARIABLE } from '../shared-stores.js'
import { startRunStores } from './run-stores.js'
import type { RunStores } from './run-stores.js'

/*
 * vitest runs this file once for each project that asks for it, in one process but not in one module instance. The
 * stores are therefore kept on `globalThis`, started by the first and stopped by the last. Workers find them through an
 * environment variable that they inherit. When the run is interrupted vitest does not come back here: then the leash
 * that each local server wears (see infra) ends it, and containers have testcontainers' sweeper.
 */

interface Shared {
  users: number
  starting: Promise<RunStores>
}

const KEY = Symbol.for('tidemark.testkit.stores')
const place = globalThis as { [KEY]?: Shared | undefined }

/** Starts the stores that tests share; gives what stops them. */
export default async function setup(): Promise<() => Promise<void>> {
  const shared = (place[KEY] ??= {
    users: 0,
    starting: startRunStores(process.env, (line) => process.stdout.write(`${line}\n`)),
  })
  shared.users++
  const { shared: servers } = await shared.starting
  process.env[STORES_VARIABLE] = JSON.stringify(servers)
  return async () => {
    shared.users--
    if (shared.users > 0) return
    place[KEY] = undefined
    await (await shared.starting).stop()
  }
}
