import { createFlush, logDatabase, redisSink } from '@tidemark/log'
import pg from 'pg'
import { peerNamed } from '../peers/registry.js'
import type { Value } from '../peers/peer.js'
import { watch } from './fresh.js'
import { nowNs } from './monotonic.js'
import type { Calls, WorkInput } from './work.js'
import { valueOf } from './work.js'

/** The origin is a row in Postgres, and nobody invalidates: triggers capture the change. */
export async function rowChange(input: WorkInput): Promise<Calls> {
  const pool = new pg.Pool({ connectionString: input.log.postgresUrl, max: 2, statement_timeout: 5_000 })
  const flush = createFlush({
    log: logDatabase(pool),
    sinks: [redisSink({ redis: input.log.redisUrl })],
  })
  const load = async (key: string): Promise<Value> => {
    const { rows } = await pool.query<{ stock: number }>({
      name: 'load',
      text: 'SELECT stock FROM product WHERE id = $1',
      values: [idOf(key)],
    })
    return valueOf(key, rows[0]!.stock)
  }
  const peer = await peerNamed(input.peer).open({ ...input, load })

  return {
    /** Commits; with `flush` as the write service does, else left to the invalidation service as any raw SQL. */
    async change({ key, version, flush: isFlushed }: { key: string; version: number; flush: boolean }) {
      await pool.query('UPDATE product SET stock = $1 WHERE id = $2', [version, idOf(key)])
      const changedNs = nowNs()
      if (isFlushed) await flush.flush()
      return changedNs
    },
    read: async ({ key }: { key: string }) => (await peer.get(key))?.version,
    watch: ({ key, version }: { key: string; version: number }) =>
      watch(async () => (await peer.get(key))?.version, version),
  }
}

const idOf = (key: string): number => Number(key.slice('product:'.length))
