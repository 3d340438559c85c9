import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { startPostgresServer } from '@tidemark/infra'
import pg from 'pg'

import { eventually } from './eventually.js'
import { faultProxy } from './fault-proxy.js'
import { ownProcess } from './own-process.js'
import type { OwnServer } from './own-server.js'
import { silence } from './silence.js'
import { temporaryFolder } from './temporary-folder.js'

const run = promisify(execFile)
const SETTINGS = { max_connections: '100', wal_sender_timeout: '0' }
const BOUND_MS = 30_000

/** A Postgres primary and a standby that streams from it. */
export interface OwnPostgresPair {
  /** Where the primary is; after `failOver` the promoted standby is there. */
  readonly url: string
  /** Read only, until it is promoted. */
  readonly standbyUrl: string
  /** Waits until the standby has replayed all that is committed now. */
  caughtUp(): Promise<void>
  /** Cuts the standby off: what is committed from now on it will never have. */
  cutOff(): Promise<void>
  /** Kills the primary; the standby is promoted and takes its address. */
  failOver(): Promise<void>
  remove(): Promise<void>
}

/**
 * The standby begins as a cold copy of the primary's folder (the embedded binaries have no pg_basebackup) and streams
 * through a proxy that can be cut.
 */
export async function ownPostgresPair(): Promise<OwnPostgresPair> {
  const removals: (() => Promise<unknown>)[] = []
  const remove = async (): Promise<void> => {
    for (const end of removals.splice(0).reverse()) await end()
  }
  const server = async (dataDir: string, folder: Awaited<ReturnType<typeof temporaryFolder>>) =>
    ownProcess({
      folder,
      leashSignal: 'QUIT',
      launch: (port) =>
        startPostgresServer({
          dataDir,
          logFile: join(folder.path, 'postgres.log'),
          ...(port === undefined ? {} : { port }),
          settings: SETTINGS,
          database: 'tidemark',
          syncOnCreate: false,
          say: silence,
        }),
    })

  try {
    const [first, second] = [await temporaryFolder('primary'), await temporaryFolder('standby')]
    const [from, to] = [join(first.path, 'data'), join(second.path, 'data')]
    const primary = await server(from, first)
    removals.push(() => primary.remove())
    await primary.stop()
    // `cp -a`: Postgres insists on its folder's owner and mode.
    await run('cp', ['-a', from, to], { timeout: BOUND_MS })
    await primary.start()
    const line = await faultProxy(primary.url)
    removals.push(() => line.close())
    const { port, username } = new URL(line.url)
    await writeFile(join(to, 'standby.signal'), '')
    await writeFile(
      join(to, 'postgresql.auto.conf'),
      `primary_conninfo = 'host=127.0.0.1 port=${port} user=${username}'\n`,
    )
    const standby = await server(to, second)
    removals.push(() => standby.remove())
    return pairOf({ primary, standby, cut: () => line.cut(), remove })
  } catch (error) {
    await remove()
    throw error
  }
}

interface Parts {
  readonly primary: OwnServer
  readonly standby: OwnServer
  readonly cut: () => Promise<void>
  readonly remove: () => Promise<void>
}

function pairOf({ primary, standby, cut, remove }: Parts): OwnPostgresPair {
  const { url } = primary
  let front: Awaited<ReturnType<typeof faultProxy>> | undefined
  return {
    url,
    standbyUrl: standby.url,
    async caughtUp() {
      const lsn = await ask(url, 'SELECT pg_current_wal_flush_lsn() AS answer')
      await eventually(
        async () =>
          (await ask(standby.url, `SELECT pg_last_wal_replay_lsn() >= '${lsn}' AS answer`)) === 'true',
        { timeoutMs: BOUND_MS },
      )
    },
    cutOff: cut,
    async failOver() {
      await cut()
      await primary.kill()
      await ask(standby.url, 'SELECT pg_promote(true, 30) AS answer')
      front = await faultProxy(standby.url, Number(new URL(url).port))
    },
    async remove() {
      await front?.close()
      await remove()
    },
  }
}

async function ask(url: string, text: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, query_timeout: BOUND_MS })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return String((await client.query<{ answer: unknown }>(text)).rows[0]?.answer)
  } finally {
    await client.end()
  }
}
