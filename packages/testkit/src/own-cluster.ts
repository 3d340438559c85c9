import { randomInt } from 'node:crypto'
import { join } from 'node:path'

import { CACHE_SETTINGS, freePort, isAlive, isPortFree, startRedisServer } from '@tidemark/infra'

import { askRedis, fieldOf, roleOf } from './ask-redis.js'
import { eventually } from './eventually.js'
import { localRedisCommand } from './local-redis.js'
import { ownProcess } from './own-process.js'
import type { OwnServer } from './own-server.js'
import { silence } from './silence.js'
import { temporaryFolder } from './temporary-folder.js'

const SLOTS = 16_384
const BUS_OFFSET = 10_000
const HEALTHY_BOUND_MS = 30_000
const MAX_DRAWS = 100

export interface OwnClusterOptions {
  /** Default 3. */
  readonly masters?: number
  /** For each master. Default 0. */
  readonly replicas?: number
  /** Over ours: without full coverage, so that masters go on when one is gone, and a node counts as gone after 2 s. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A Redis Cluster. */
export interface OwnCluster {
  /** The masters first, as they were at the start; then their replicas. */
  readonly servers: readonly OwnServer[]
  /** Their URLs: what ioredis' `Cluster` starts from. */
  readonly nodes: readonly string[]
  /** The master that owns the slot of `key` now. */
  ownerOf(key: string): Promise<OwnServer>
  /** Gives the slot of `key`, with all that is in it, to another master. */
  moveSlot(key: string, to: OwnServer): Promise<void>
  /** Promotes a replica of `master`, whether that lives or not. */
  failOver(master: OwnServer): Promise<void>
  /** Waits until every node that lives says `cluster_state:ok`. */
  healthy(): Promise<void>
  remove(): Promise<void>
}

/** A Redis Cluster of its own, on loopback. It keeps nothing on disk but what it knows of itself. */
export async function ownCluster(options: OwnClusterOptions = {}): Promise<OwnCluster> {
  const { masters = 3, replicas = 0, settings = {} } = options
  const servers: OwnServer[] = []
  const remove = async (): Promise<void> => {
    for (const server of servers.splice(0).reverse()) await server.remove()
  }
  try {
    for (let i = 0; i < masters * (1 + replicas); i++) servers.push(await node(settings))
    const urls = servers.map(({ url }) => url)
    for (let i = 0; i < servers.length; i++) {
      await askRedis(urls[i]!, 'CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
      const [from, to] = [i, i + 1].map((n) => Math.ceil((n * SLOTS) / masters))
      if (i < masters) await askRedis(urls[i]!, 'CLUSTER', 'ADDSLOTSRANGE', from!, to! - 1)
      if (i > 0) await askRedis(urls[0]!, 'CLUSTER', 'MEET', '127.0.0.1', portOf(servers[i]!))
    }
    await healthy(servers)
    await acquainted(urls)
    for (let i = masters; i < servers.length; i++) await follow(servers[i]!, servers[i % masters]!)
    for (const url of urls)
      await eventually(async () => {
        const nodes = String(await askRedis(url, 'CLUSTER', 'NODES'))
        return (nodes.match(/\bslave\b/g) ?? []).length === masters * replicas
      })
    return clusterOf(servers, remove)
  } catch (error) {
    await remove()
    throw error
  }
}

/** Each node knows who has each slot: one that knows of its own alone says that it is well, too. */
async function acquainted(urls: readonly string[]): Promise<void> {
  for (const url of urls)
    await eventually(
      async () => fieldOf(await askRedis(url, 'CLUSTER', 'INFO'), 'cluster_slots_ok') === String(SLOTS),
      { timeoutMs: HEALTHY_BOUND_MS },
    )
}

async function node(settings: Readonly<Record<string, string>>): Promise<OwnServer> {
  const command = await localRedisCommand()
  const folder = await temporaryFolder('cluster')
  return ownProcess({
    folder,
    leashSignal: 'TERM',
    launch: async (port) =>
      startRedisServer({
        command,
        dataDir: join(folder.path, 'data'),
        logFile: join(folder.path, 'redis.log'),
        port: port ?? (await portWithBus()),
        settings: {
          ...CACHE_SETTINGS,
          save: '',
          appendonly: 'no',
          'repl-diskless-sync-delay': '0',
          'cluster-enabled': 'yes',
          'cluster-node-timeout': '2000',
          'cluster-require-full-coverage': 'no',
          ...settings,
        },
        say: silence,
      }),
  })
}

/** So low that the bus, too, stays below the ports that systems hand to outgoing connections. */
async function portWithBus(): Promise<number> {
  for (let draws = 0; draws < MAX_DRAWS; draws++) {
    const port = await freePort(undefined, () => randomInt(20_000, 22_000))
    if (await isPortFree(port + BUS_OFFSET)) return port
  }
  throw new Error(`no free pair of ports on 127.0.0.1 in ${String(MAX_DRAWS)} draws`)
}

async function follow(replica: OwnServer, master: OwnServer): Promise<void> {
  const id = String(await askRedis(master.url, 'CLUSTER', 'MYID'))
  await eventually(() => askRedis(replica.url, 'CLUSTER', 'REPLICATE', id))
  await eventually(
    async () => fieldOf(await askRedis(replica.url, 'INFO', 'replication'), 'master_link_status') === 'up',
    { timeoutMs: HEALTHY_BOUND_MS },
  )
}

async function living(servers: readonly OwnServer[]): Promise<OwnServer[]> {
  const alive = await Promise.all(servers.map(({ pid }) => isAlive(pid)))
  return servers.filter((_, i) => alive[i])
}

async function healthy(servers: readonly OwnServer[]): Promise<void> {
  for (const { url } of await living(servers))
    await eventually(
      async () => {
        const info = await askRedis(url, 'CLUSTER', 'INFO')
        const knowsAll = fieldOf(info, 'cluster_known_nodes') === String(servers.length)
        return knowsAll && fieldOf(info, 'cluster_state') === 'ok'
      },
      { timeoutMs: HEALTHY_BOUND_MS },
    )
}

type SlotRange = readonly [
  from: number,
  to: number,
  master: readonly [host: string, port: number, id: string],
]

function clusterOf(servers: readonly OwnServer[], remove: () => Promise<void>): OwnCluster {
  const slotOf = async (key: string): Promise<number> =>
    Number(await askRedis((await living(servers))[0]!.url, 'CLUSTER', 'KEYSLOT', key))
  const ownerOf = async (key: string): Promise<OwnServer> => {
    const slot = await slotOf(key)
    const ranges = (await askRedis((await living(servers))[0]!.url, 'CLUSTER', 'SLOTS')) as SlotRange[]
    const range = ranges.find(([from, to]) => from <= slot && slot <= to)
    const owner = servers.find((server) => portOf(server) === range?.[2][1])
    if (owner === undefined) throw new Error(`nobody owns slot ${String(slot)}`)
    return owner
  }
  return {
    servers,
    nodes: servers.map(({ url }) => url),
    ownerOf,
    async moveSlot(key, to) {
      const [slot, from] = [await slotOf(key), await ownerOf(key)]
      if (from === to) return
      const [fromId, toId] = await Promise.all([from, to].map(({ url }) => askRedis(url, 'CLUSTER', 'MYID')))
      await askRedis(to.url, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(fromId))
      await askRedis(from.url, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(toId))
      for (;;) {
        const keys = (await askRedis(from.url, 'CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[]
        if (keys.length === 0) break
        await askRedis(from.url, 'MIGRATE', '127.0.0.1', portOf(to), '', 0, 1_000, 'KEYS', ...keys)
      }
      for (const { url } of [to, from, ...(await living(servers))])
        if ((await roleOf(url)) === 'master')
          await askRedis(url, 'CLUSTER', 'SETSLOT', slot, 'NODE', String(toId))
    },
    async failOver(master) {
      const id = String(await askRedis(servers.find((one) => one !== master)!.url, 'CLUSTER', 'NODES'))
        .split('\n')
        .find((line) => line.includes(`:${String(portOf(master))}@`))
        ?.split(' ')[0]
      const isItsReplica = async ({ url }: OwnServer): Promise<boolean> =>
        String(await askRedis(url, 'CLUSTER', 'NODES')).includes(`myself,slave ${String(id)} `)
      const others = (await living(servers)).filter((one) => one !== master)
      const fit = await Promise.all(others.map(isItsReplica))
      const replica = others.find((_, i) => fit[i])
      if (replica === undefined) throw new Error('this master has no replica that lives')
      const how = (await isAlive(master.pid)) ? [] : ['TAKEOVER']
      await eventually(
        async () => {
          if ((await roleOf(replica.url)) === 'master') return true
          await askRedis(replica.url, 'CLUSTER', 'FAILOVER', ...how)
          return false
        },
        { timeoutMs: HEALTHY_BOUND_MS, everyMs: 100 },
      )
    },
    healthy: () => healthy(servers),
    remove,
  }
}

const portOf = ({ url }: OwnServer): number => Number(new URL(url).port)
