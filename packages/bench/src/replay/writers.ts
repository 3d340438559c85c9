/**
 * Two writers that share no product: the write service changes the odd ones, raw SQL the even ones. Each product has
 * one write under way at most, so that the judge knows the order of its values.
 */
import type pg from 'pg'
import type { History, Writer } from './history.js'
import type { HttpClient } from './http-client.js'
import { header } from './http-client.js'

export interface WriteDone {
  readonly productId: number
  readonly value: number
  readonly writer: Writer
  readonly begunAt: number
  readonly acknowledgedAt: number
  readonly token: string | undefined
  /** Of the row that it made. */
  readonly version: number
}

export interface Writers {
  /** Changes a product by whoever writes it; undefined where a write of it is still under way, or failed. */
  write(productId: number): Promise<WriteDone | undefined>
  readonly done: Readonly<Record<Writer, number>>
  readonly failed: number
}

interface Written {
  readonly version: number
  readonly token: string | undefined
}

export const writerOf = (productId: number): Writer => (productId % 2 === 0 ? 'sql' : 'service')

export function createWriters(options: {
  service: HttpClient
  database: pg.Pool
  history: History
  now: () => number
  /** Above every stock that the catalogue holds. */
  firstValue: number
}): Writers {
  const { service, database, history, now } = options
  const done = { service: 0, sql: 0 }
  let failed = 0
  let nextValue = options.firstValue

  async function throughService(productId: number, stock: number): Promise<Written> {
    const reply = await service.patch(`/v1/products/${productId}`, { stock })
    if (reply.status !== 200) throw new Error(`PATCH answered ${reply.status}: ${reply.body.slice(0, 200)}`)
    const { version } = JSON.parse(reply.body) as { version: number }
    return { version, token: header(reply, 'tidemark') }
  }

  async function throughSql(productId: number, stock: number): Promise<Written> {
    const text = 'UPDATE product SET stock = $1 WHERE id = $2 RETURNING version'
    const { rows } = await database.query<{ version: number }>(text, [stock, productId])
    return { version: rows[0]!.version, token: undefined }
  }

  return {
    done,
    get failed() {
      return failed
    },
    async write(productId) {
      if (!history.isSettled(productId)) return undefined
      const writer = writerOf(productId)
      const value = nextValue++
      const write = history.begin(productId, { value, writer, begunAt: now() })
      try {
        const { token, version } = await (writer === 'sql' ? throughSql : throughService)(productId, value)
        write.acknowledgedAt = now()
        if (token !== undefined) write.token = token
        done[writer]++
        const { begunAt, acknowledgedAt } = write
        return { productId, value, writer, begunAt, acknowledgedAt, token, version }
      } catch {
        failed++
        return undefined
      }
    },
  }
}
