import { execFile } from 'node:child_process'
import { readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { isAlive, stopProcess, workingFolder } from './process-control.js'
import { ownedFolder } from './postgres-home.js'
import type { PostgresHome } from './postgres-home.js'
import { InfraError } from './store.js'
import type { Say } from './store.js'

const run = promisify(execFile)
const INITDB_TIMEOUT_MS = 120_000
const LEFTOVER_STOP_MS = 30_000

/** Role that owns everything; the server trusts it on loopback and listens nowhere else. */
export const SUPERUSER = 'postgres'

/**
 * Makes the data folder if there is none. initdb works under another name and the folder is renamed when it is
 * whole, so a start cut short leaves nothing that looks like a cluster.
 */
export async function createCluster(home: PostgresHome, say: Say, sync = true): Promise<void> {
  const { account, binaries, dataDir } = home
  if (
    await stat(join(dataDir, 'PG_VERSION')).then(
      () => true,
      () => false,
    )
  )
    return
  say(`Postgres: creating a new database cluster in ${dataDir}`)
  const unfinished = `${dataDir}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await ownedFolder(unfinished, account)
  const args = ['--pgdata', unfinished, '--username', SUPERUSER, '--auth', 'trust', '--encoding', 'UTF8']
  args.push('--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8')
  if (!sync) args.push('--no-sync')
  try {
    await run(binaries.initdb, args, { ...account, cwd: unfinished, timeout: INITDB_TIMEOUT_MS })
  } catch (cause) {
    const stderr = String((cause as { stderr?: string }).stderr ?? '')
      .trim()
      .split('\n')
      .at(-1)
    const message = `cannot create the Postgres data folder ${dataDir}: ${stderr ?? 'initdb failed'}`
    throw new InfraError('store_failed', message, { cause })
  }
  await rename(unfinished, dataDir)
}

/**
 * Clears what an earlier start that crashed has left in the data folder: a server of ours that still runs is stopped
 * cleanly; a pid file whose process is dead, or is by now somebody else, is removed.
 */
export async function clearLeftover(dataDir: string, say: Say): Promise<void> {
  const pidFile = join(dataDir, 'postmaster.pid')
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0])
  if (!pid) return
  if (!(await isAlive(pid))) {
    say(`Postgres: the last start ended without a clean stop; recovering`)
    return
  }
  if ((await workingFolder(pid)) === (await realpath(dataDir))) {
    say(`Postgres: stopping the server that an earlier start left running (process ${String(pid)})`)
    await stopProcess(pid, 'SIGINT', LEFTOVER_STOP_MS)
    return
  }
  say(`Postgres: removing a stale pid file (process ${String(pid)} is not a server of this folder)`)
  await rm(pidFile, { force: true })
}
