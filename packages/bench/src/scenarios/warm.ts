/**
 * What warming is worth: a zipf load on two readers while hot rows change by raw SQL, without warming and with it, in turns.
 * Both arms run the same services; a reader that loads ahead of its clients takes the same machine's time.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { alternate } from '../measure/alternate.js'
import { figureOf } from '../measure/figure.js'
import type { Row } from '../measure/table.js'
import { httpClient } from '../replay/http-client.js'
import type { HttpClient } from '../replay/http-client.js'
import { percentile } from '../replay/percentile.js'
import { zipfTrace } from '../replay/trace.js'
import type { Stage } from '../stage/stage.js'
import type { Scenario } from './scenario.js'

const readsPerSecond = 500
const writesPerSecond = 40
/** Rows that change, the hottest. */
const hotRows = 50
const rows = 2_000
const outstandingMax = 500
const settleSeconds = 5
const tickMs = 10

interface Arm {
  readonly who: string
  readonly isUs?: boolean
  /** Warmings a second. */
  readonly rate: string
}

const arms: readonly Arm[] = [
  { who: 'two readers, not warmed', rate: '0' },
  { who: 'two readers, warmed', rate: '500', isUs: true },
]

export const warm: Scenario = {
  name: 'warm',
  async run(stage) {
    const urls = [await stage.start('read'), await stage.start('read')]
    const readers = urls.map((url) => httpClient(url, 32))
    const database = new pg.Pool({ connectionString: stage.postgresUrl, max: 2 })
    const rounds = await alternate(arms, stage.rounds(4), async ({ rate }) => {
      const env = { READ_URL: urls[0]!, AUDIT_RATE: '0', WARM_RATE: rate }
      const service = await stage.run('invalidation', env)
      const seen = await load(stage, readers, database)
      await service.stop()
      return seen
    })
    await Promise.all([...readers.map((reader) => reader.close()), database.end()])
    return [
      {
        title: `Reads of ${hotRows} rows that change ${writesPerSecond} times a second`,
        columns: [
          { title: 'waited for the origin', unit: '%' },
          { title: 'p99', unit: 'ms' },
          { title: 'mean', unit: 'ms' },
        ],
        rows: arms.map((arm): Row => {
          const seen = rounds.get(arm)!
          const figure = (of: (each: Seen) => number) => figureOf(seen.map(of))
          return {
            who: arm.who,
            isUs: arm.isUs === true,
            figures: [
              figure(({ waited, hot }) => waited / hot),
              figure(({ latenciesMs }) => percentile(latenciesMs, 0.99)),
              figure(({ latenciesMs }) => latenciesMs.reduce((sum, ms) => sum + ms, 0) / latenciesMs.length),
            ],
          }
        }),
        isMoreBetter: false,
      },
    ]
  },
}

interface Seen {
  /** Reads of rows that change, and those of them that had to wait for the origin. */
  hot: number
  waited: number
  readonly latenciesMs: number[]
}

/** At a fixed pace, whatever the answers take: a slow answer delays no other request. */
async function load(stage: Stage, readers: readonly HttpClient[], database: pg.Pool): Promise<Seen> {
  const seconds = settleSeconds + stage.seconds(20)
  const reads = zipfTrace({ requests: readsPerSecond * seconds, pages: rows, seed: 1 })
  const writes = zipfTrace({ requests: writesPerSecond * seconds, pages: hotRows, seed: 2 })
  const seen: Seen = { hot: 0, waited: 0, latenciesMs: [] }
  let outstanding = 0
  const beganAt = performance.now()
  const countFrom = beganAt + settleSeconds * 1_000

  const read = async (page: number, turn: number): Promise<void> => {
    if (outstanding >= outstandingMax) return
    outstanding++
    const askedAt = performance.now()
    const { headers } = await readers[turn % readers.length]!.get(`/v1/products/${page + 1}`)
    outstanding--
    if (askedAt < countFrom || page >= hotRows) return
    seen.latenciesMs.push(performance.now() - askedAt)
    seen.hot++
    if (String(headers['cache-status']).includes('fwd=')) seen.waited++
  }
  const write = (page: number): Promise<unknown> =>
    database.query('UPDATE product SET stock = stock + 1 WHERE id = $1', [page + 1])

  const running: Promise<unknown>[] = []
  for (let r = 0, w = 0; r < reads.length;) {
    const elapsedSeconds = (performance.now() - beganAt) / 1_000
    while (r < reads.length && r < elapsedSeconds * readsPerSecond) running.push(read(reads[r]!, r++))
    while (w < writes.length && w < elapsedSeconds * writesPerSecond) running.push(write(writes[w++]!))
    await sleep(tickMs)
  }
  await Promise.all(running)
  return seen
}
