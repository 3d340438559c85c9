import { createHash } from 'node:crypto'
import { chown, cp, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { canReach, postgresAccount } from './postgres-account.js'
import type { Account } from './postgres-account.js'
import { binariesIn, findPostgresBinaries } from './postgres-binaries.js'
import type { PostgresBinaries } from './postgres-binaries.js'
import type { Say } from './store.js'

const SHARED_HOME = '/var/lib/tidemark'

/** Everything a server needs to stand on. */
export interface PostgresHome {
  readonly account: Account | undefined
  readonly binaries: PostgresBinaries
  readonly dataDir: string
}

const nameOf = (path: string): string => createHash('sha256').update(path).digest('hex').slice(0, 12)

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Copies under a temporary name first, so that a copy cut short is never taken for a whole one. */
async function copyOnce(from: string, to: string, say: Say): Promise<void> {
  if (await exists(to)) return
  say(`Postgres: the project's folder is closed to user "postgres", so its binaries are copied to ${to}`)
  const unfinished = `${to}.${String(process.pid)}`
  await cp(from, unfinished, { recursive: true, verbatimSymlinks: true })
  await rename(unfinished, to).catch(() => rm(unfinished, { recursive: true, force: true }))
}

/**
 * Finds binaries and data folder that the server's account can reach. Where the project lies below a folder closed to
 * it (root's home, say), both move to /var/lib/tidemark.
 */
export async function postgresHome(wantedDataDir: string, say: Say): Promise<PostgresHome> {
  let binaries = await findPostgresBinaries()
  let dataDir = wantedDataDir
  const account = await postgresAccount(say)
  if (account) {
    const parent = dirname(dataDir)
    await mkdir(parent, { recursive: true })
    if (!(await canReach(account, dirname(binaries.postgres)))) {
      const native = join(SHARED_HOME, `postgres-${nameOf(binaries.native)}`)
      say(
        `Postgres: the project's folder is closed to user "postgres", so its binaries are copied to ${native}`,
      )
      await mkdir(SHARED_HOME, { recursive: true, mode: 0o755 })
      await copyOnce(binaries.native, native, say)
      binaries = binariesIn(native)
    }
    if (!(await canReach(account, parent))) {
      dataDir = join(SHARED_HOME, `data-${nameOf(wantedDataDir)}`)
      say(`Postgres: its data is kept in ${dataDir}`)
      await mkdir(SHARED_HOME, { recursive: true, mode: 0o755 })
    }
  }
  return { account, binaries, dataDir }
}

/** Makes a folder that only the server's account may enter. */
export async function ownedFolder(path: string, account: Account | undefined): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  if (account) await chown(path, account.uid, account.gid)
}
