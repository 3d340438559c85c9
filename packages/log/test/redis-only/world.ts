/**
 * Two servers, of which the resolver names one; three readers, each with its two connections; an origin of three tags.
 *
 * A write is committed, and then announced by some reader. A load takes its stamp, and reads the origin later. Between
 * any two steps anything may happen: replication stands still or catches up, the replica is promoted with what it has,
 * the old master dies or lives on cut off, with whoever is still tied to it, until it is demoted; a server crashes and
 * returns with old data or none; keys are evicted, flushed, cut.
 */
import type { Instant } from '@tidemark/tide'
import { isSameEpoch } from '@tidemark/tide'
import type { Redis } from 'ioredis'

import { Reader } from './reader.js'
import type { Value } from './reader.js'
import { Server } from './server.js'

export type Tally = Map<string, number>

const tags = ['a', 'b', 'c']

export async function live(
  redis: Redis,
  prefix: string,
  random: () => number,
  steps: number,
  tally: Tally,
): Promise<void> {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const count = (what: string): void => {
    tally.set(what, (tally.get(what) ?? 0) + 1)
  }
  const servers = [new Server(redis, `${prefix}-0`, true), new Server(redis, `${prefix}-1`, false)] as const
  let named: Server = servers[0]
  const other = (): Server => (named === servers[0] ? servers[1] : servers[0])
  const readers = [1, 2, 3].map(() => new Reader(redis, named, random))
  const versions = new Map(tags.map((tag) => [tag, 0]))
  const unannounced: { tag: string; version: number }[] = []
  let values: Value[] = []
  let ms = 0
  const now = (): Instant => ({ monoMs: ++ms, wallMs: ms })

  /** A connection to a server that died, or was demoted, has ended. */
  const isTied = (server: Server): boolean => server.isAlive && server.isMaster
  const retie = (): void => {
    for (const reader of readers) {
      if (!isTied(reader.stream)) reader.reconnect(named)
      if (!isTied(reader.calls)) reader.calls = named
    }
  }

  const ask = async (reader: Reader): Promise<void> => {
    const at = now()
    await reader.ask(at)
    if (random() < 0.5) return
    while (await reader.read(3)) count('read')
    await reader.isPresent(at)
  }

  const actions: readonly (readonly [weight: number, name: string, act: () => Promise<void> | void])[] = [
    [
      12,
      'write',
      () => {
        const tag = pick(tags)
        const version = versions.get(tag)! + 1
        versions.set(tag, version)
        unannounced.push({ tag, version })
      },
    ],
    [
      14,
      'announce',
      async () => {
        const [write] = unannounced.splice(Math.floor(random() * unannounced.length), 1)
        if (write !== undefined) await pick(readers).publish(write.tag, write.version)
      },
    ],
    [
      12,
      'begin a load',
      () => {
        const reader = pick(readers)
        const stamp = reader.follower.stamp()
        if (stamp !== undefined) reader.loading = { tag: pick(tags), stamp }
      },
    ],
    [
      14,
      'end a load',
      () => {
        const reader = pick(readers)
        if (reader.loading === undefined) return
        const { tag, stamp } = reader.loading
        values = [...values.slice(-30), { tag, stamp, version: versions.get(tag)! }]
        reader.loading = undefined
      },
    ],
    [14, 'ask', () => ask(pick(readers))],
    [
      16,
      'read a little',
      async () => {
        await pick(readers).read(2)
      },
    ],
    [
      8,
      'replicate',
      async () => {
        if (!other().isMaster) await other().replicate(named)
      },
    ],
    [
      3,
      'fail over',
      async () => {
        if (other().isMaster) return
        const old = named
        named = other()
        await named.promote(old)
        old.isAlive = random() < 0.6
        retie()
      },
    ],
    [
      3,
      'demote',
      async () => {
        if (!other().isMaster) return
        await other().demote(named)
        retie()
      },
    ],
    [
      3,
      'reconnect',
      () => {
        const reader = pick(readers)
        const server = random() < 0.7 || !isTied(other()) ? named : other()
        if (random() < 0.5) reader.reconnect(server)
        else reader.calls = server
      },
    ],
    [2, 'start anew', () => pick(readers).restart(named)],
    [2, 'save', () => named.save()],
    [
      2,
      'crash',
      async () => {
        await named.restart(random() < 0.6)
        for (const reader of readers) if (reader.stream === named) reader.reconnect(named)
      },
    ],
    [2, 'flush', () => named.lose('log', 'clock')],
    [1, 'evict the stream', () => named.lose('log')],
    [1, 'evict the clock', () => named.lose('clock')],
    [1, 'lose the newest', () => named.loseNewest()],
    [2, 'trim', () => named.trim(1 + Math.floor(random() * 4))],
  ]
  const total = actions.reduce((sum, [weight]) => sum + weight, 0)

  for (let step = 0; step < steps; step++) {
    let left = random() * total
    const [, name, act] = actions.find(([weight]) => (left -= weight) < 0)!
    count(name)
    await act()
    for (const reader of readers) for (const value of values) count(reader.judge(value) ? 'afloat' : 'sunk')
  }

  // It ends well: whoever asks the server that is named follows it, and holds all that it numbered in its present epoch.
  for (const reader of readers) reader.reconnect(named)
  for (let round = 0; round < 2; round++)
    for (const reader of readers) {
      const at = now()
      await reader.ask(at)
      while (await reader.read(100)) count('read')
      await reader.isPresent(at)
    }
  for (const reader of readers)
    for (const { epoch, position } of named.promised)
      if (isSameEpoch(epoch, reader.follower.epoch!) && position > reader.follower.applied)
        throw new Error(`never reached: ${position}`)
}
