import { spawn } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { freePort, installWithApt, leash, stopProcess, systemProbes } from '@tidemark/infra'
import pg from 'pg'

import { eventually } from './eventually.js'
import { temporaryFolder } from './temporary-folder.js'

const READY_BOUND_MS = 15_000
const STOP_MS = 5_000

/** What node-postgres sends when it connects, and PgBouncer does not know: it belongs to the role. */
const IGNORED =
  'options, extra_float_digits, statement_timeout, lock_timeout, idle_in_transaction_session_timeout'

export interface OwnPgBouncer {
  /** The database's URL, through PgBouncer. */
  readonly url: string
  remove(): Promise<void>
}

/** A PgBouncer on the PATH, or one that root gets from apt on Debian or Ubuntu; undefined where there is none to be had. */
async function pgBouncerCommand(): Promise<string | undefined> {
  const probes = systemProbes(undefined)
  const command = await probes.findCommand('pgbouncer')
  if (command !== undefined || !(await probes.mayUseApt())) return command
  process.stderr.write(
    'PgBouncer: none found, so installing it: apt-get update && apt-get install pgbouncer\n',
  )
  return installWithApt('pgbouncer').catch(() => undefined)
}

/** False: tests that need one are to be skipped. */
export const hasPgBouncer = async (): Promise<boolean> => (await pgBouncerCommand()) !== undefined

/** A PgBouncer in transaction mode before the database at `databaseUrl`, with few connections to it: they change hands. */
export async function ownPgBouncer(databaseUrl: string, poolSize = 4): Promise<OwnPgBouncer> {
  const command = await pgBouncerCommand()
  if (command === undefined) throw new Error('no PgBouncer: ask hasPgBouncer() first')
  const target = new URL(databaseUrl)
  const folder = await temporaryFolder('pgbouncer')
  const port = await freePort()
  const file = join(folder.path, 'pgbouncer.ini')
  const name = target.pathname.slice(1)
  const lines = [
    '[databases]',
    `${name} = host=${target.hostname} port=${target.port} user=${target.username}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    `default_pool_size = ${poolSize}`,
    'max_client_conn = 500',
    `ignore_startup_parameters = ${IGNORED}`,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  await chmod(file, 0o644)
  // It refuses to run as root.
  const args = process.getuid?.() === 0 ? ['-u', 'postgres', file] : [file]
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let words = ''
  child.stderr.on('data', (bytes: Buffer) => (words = (words + bytes.toString()).slice(-4_000)))
  const held = leash({ pid: child.pid!, signal: 'TERM', patienceSeconds: 2, folder: folder.path })
  const remove = async (): Promise<void> => {
    await stopProcess(child.pid!, 'SIGTERM', STOP_MS)
    held.release()
    await folder.remove()
  }
  target.port = String(port)
  try {
    await eventually(() => answers(target.href), { timeoutMs: READY_BOUND_MS, everyMs: 50 })
  } catch (cause) {
    await remove()
    throw new Error(`PgBouncer did not start:\n${words}`, { cause })
  }
  return { url: target.href, remove }
}

async function answers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
  client.on('error', () => undefined)
  await client.connect()
  await client.query('SELECT 1').finally(() => client.end())
}
