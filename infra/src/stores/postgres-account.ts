import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

import { InfraError } from './store.js'
import type { Say } from './store.js'

const run = promisify(execFile)
const NAME = 'postgres'
const TIMEOUT_MS = 10_000

/** Who the server runs as. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

async function look(): Promise<Account | undefined> {
  try {
    const uid = await run('id', ['-u', NAME], { timeout: TIMEOUT_MS })
    const gid = await run('id', ['-g', NAME], { timeout: TIMEOUT_MS })
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}

/** PostgreSQL refuses to run as root, so root lends it the system user `postgres`; nobody else needs one. */
export async function postgresAccount(say: Say): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const present = await look()
  if (present) return present
  say(`Postgres: creating the system user "${NAME}", because it refuses to run as root`)
  try {
    await run(
      'useradd',
      ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', NAME],
      {
        timeout: TIMEOUT_MS,
      },
    )
  } catch (cause) {
    const message = `cannot create the system user "${NAME}": start as another user than root, or set DATABASE_URL`
    throw new InfraError('no_postgres', message, { cause })
  }
  return (await look())!
}

/** True if `account` can walk down to `folder`: a checkout below /root is closed to everyone else. */
export async function canReach(account: Account | undefined, folder: string): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    if (!(await canEnter(account, path))) return false
    if (path === dirname(path)) return true
  }
}

async function canEnter(account: Account | undefined, folder: string): Promise<boolean> {
  if (!account)
    return access(folder, constants.X_OK).then(
      () => true,
      () => false,
    )
  const { mode, uid, gid } = await stat(folder)
  if (uid === account.uid) return (mode & 0o100) !== 0
  if (gid === account.gid) return (mode & 0o010) !== 0
  return (mode & 0o001) !== 0
}
