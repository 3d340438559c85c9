import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { isAlive, startRedisServer } from '@tidemark/infra'

import { askRedis, fieldOf, roleOf } from './ask-redis.js'
import { eventually } from './eventually.js'
import { localRedisCommand } from './local-redis.js'
import { ownProcess } from './own-process.js'
import { ownRedis } from './own-redis.js'
import type { OwnServer } from './own-server.js'
import { silence } from './silence.js'
import { temporaryFolder } from './temporary-folder.js'

const NAME = 'tidemark'
const FAIL_OVER_BOUND_MS = 30_000

export interface OwnSentinelOptions {
  /** Default 1: it needs no vote, so a fail-over never has to be tried twice. */
  readonly sentinels?: number
  /** For both Redis servers. */
  readonly settings?: Readonly<Record<string, string>>
  /** After how long a silent master counts as gone. Default 2000; `failOver` does not wait for it. */
  readonly downAfterMs?: number
}

/** A Redis master, a replica of it, and who makes the one the other. */
export interface OwnSentinel {
  /** What the Sentinels call the master: ioredis' `name`. */
  readonly name: string
  /** ioredis' `sentinels`. */
  readonly sentinels: readonly { readonly host: string; readonly port: number }[]
  /** The Sentinels themselves. */
  readonly watchers: readonly OwnServer[]
  /** The one that the Sentinels name. */
  master(): Promise<OwnServer>
  /** The other one. */
  replica(): Promise<OwnServer>
  /** Waits until the master has a replica that is in step. */
  hasReplica(): Promise<unknown>
  /** Promotes the replica, whether the master lives or not; a master that lives is demoted soon after. */
  failOver(): Promise<void>
  /**
   * Promotes a replica that lacks what `write` has written, though the master had acknowledged it; the master is killed.
   * `start` brings it back, to be demoted.
   */
  loseTail(write: (masterUrl: string) => Promise<unknown>): Promise<void>
  remove(): Promise<void>
}

/** A Sentinel set-up of its own, on loopback. It keeps nothing on disk unless told to. */
export async function ownSentinel(options: OwnSentinelOptions = {}): Promise<OwnSentinel> {
  const { sentinels: count = 1, settings = {}, downAfterMs = 2_000 } = options
  const all: OwnServer[] = []
  const remove = async (): Promise<void> => {
    for (const server of all.splice(0).reverse()) await server.remove()
  }
  const added = async (starting: Promise<OwnServer>): Promise<OwnServer> => {
    const server = await starting
    all.push(server)
    return server
  }
  try {
    const quick = { 'repl-diskless-sync-delay': '0', 'repl-ping-replica-period': '1', ...settings }
    const first = await added(ownRedis(quick))
    const second = await added(ownRedis({ ...quick, replicaof: `127.0.0.1 ${portOf(first)}` }))
    const watchers: OwnServer[] = []
    for (let i = 0; i < count; i++)
      watchers.push(await added(watcher(portOf(first), Math.floor(count / 2) + 1, downAfterMs)))
    const set = sentinelOver([first, second], watchers, remove)
    await set.hasReplica()
    return set
  } catch (error) {
    await remove()
    throw error
  }
}

async function watcher(masterPort: number, quorum: number, downAfterMs: number): Promise<OwnServer> {
  const command = await localRedisCommand()
  const folder = await temporaryFolder('sentinel')
  const file = join(folder.path, 'sentinel.conf')
  const lines = [
    `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} ${quorum}`,
    `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${NAME} 5000`,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  return ownProcess({
    folder,
    leashSignal: 'TERM',
    launch: (port) =>
      startRedisServer({
        command,
        args: [file, '--sentinel'],
        dataDir: join(folder.path, 'data'),
        logFile: join(folder.path, 'sentinel.log'),
        ...(port === undefined ? {} : { port }),
        say: silence,
      }),
  })
}

function sentinelOver(
  pair: readonly [OwnServer, OwnServer],
  watchers: readonly OwnServer[],
  remove: () => Promise<void>,
): OwnSentinel {
  const masterPort = async (): Promise<number> => {
    const [, port] = (await askRedis(
      watchers[0]!.url,
      'SENTINEL',
      'get-master-addr-by-name',
      NAME,
    )) as string[]
    return Number(port)
  }
  const oneOf = async (isMaster: boolean): Promise<OwnServer> => {
    const port = await masterPort()
    return pair.find((server) => (portOf(server) === port) === isMaster)!
  }
  /** Every Sentinel has seen the replica, and it holds what the master holds. */
  const hasReplica = (): Promise<unknown> =>
    eventually(
      async () => {
        for (const { url } of watchers) {
          const known = (await askRedis(url, 'SENTINEL', 'replicas', NAME)) as unknown[]
          if (known.length === 0) return false
        }
        const info = await askRedis((await oneOf(false)).url, 'INFO', 'replication')
        return fieldOf(info, 'master_link_status') === 'up'
      },
      { timeoutMs: FAIL_OVER_BOUND_MS },
    )
  const promote = (next: OwnServer): Promise<unknown> =>
    eventually(
      async () => {
        if ((await masterPort()) === portOf(next)) return (await roleOf(next.url)) === 'master'
        // Refused while one is under way, or while the replica does not look well to it yet.
        await askRedis(watchers[0]!.url, 'SENTINEL', 'failover', NAME)
        return false
      },
      { timeoutMs: FAIL_OVER_BOUND_MS, everyMs: 100 },
    )
  return {
    name: NAME,
    sentinels: watchers.map((server) => ({ host: '127.0.0.1', port: portOf(server) })),
    watchers,
    hasReplica,
    master: () => oneOf(true),
    replica: () => oneOf(false),
    async failOver() {
      const [old, next] = [await oneOf(true), await oneOf(false)]
      if (await isAlive(old.pid)) await hasReplica()
      await promote(next)
    },
    async loseTail(write) {
      const [old, next] = [await oneOf(true), await oneOf(false)]
      await hasReplica()
      // Stopped, it reads nothing; cut off, nothing waits for it in its socket.
      await next.pause()
      await askRedis(old.url, 'CLIENT', 'KILL', 'TYPE', 'replica')
      try {
        await write(old.url)
      } finally {
        await old.kill()
        await next.resume()
      }
      await promote(next)
    },
    remove,
  }
}

const portOf = ({ url }: OwnServer): number => Number(new URL(url).port)
