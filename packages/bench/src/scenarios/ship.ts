import { setTimeout as rest } from 'node:timers/promises'
import { createFlush, followLog, logDatabase, redisSink } from '@tidemark/log'
import pg from 'pg'
import { percentile } from '../replay/percentile.js'
import { cpuSeconds, shipStage, shopProducts } from '../stage/shippers.js'
import type { Row, Table } from '../measure/table.js'
import type { Stage } from '../stage/stage.js'
import type { Scenario } from './scenario.js'

const changesPerSecond = 5_000
const writers = 24
/** Of a writer, between two looks at how far it should be. */
const sliceMs = 20
const flushEveryMs = 20
const fullSeconds = 60
const changesPerCommit = [1, 10]

const columns: Table['columns'] = [
  { title: 'changes', unit: '/s' },
  { title: 'positions', unit: '/s' },
  { title: 'commit to applied, p50', unit: 'ms' },
  { title: 'p99', unit: 'ms' },
  { title: 'worst', unit: 'ms' },
  { title: 'proven lag, worst', unit: 'ms' },
  { title: 'CPU of both services, % of a core', unit: '%' },
]

const figure = (median: number) => ({ median, spread: 0 })

/**
 * Single-row updates by raw SQL, one or ten a commit, as many as asked for or as many as the machine gives; two
 * invalidation services, and a writer that flushes. How long a change is under way is what a follower in this process sees:
 * from the trigger's clock to when its tags have sunk here, commit included.
 */
export const ship: Scenario = {
  name: 'ship',
  async run(stage) {
    const rows: Row[] = []
    for (const perCommit of changesPerCommit) rows.push(await measure(stage, perCommit))
    const title = `${changesPerSecond} changes/s asked for, ${stage.seconds(fullSeconds)} s, ${writers} writers, 2 invalidation services`
    return [{ title, columns, rows, isMoreBetter: true }]
  },
}

async function measure(stage: Stage, perCommit: number): Promise<Row> {
  const own = await shipStage(stage)
  const services = [await own.launch(), await own.launch()]
  const log = logDatabase(own.pool)
  const flush = createFlush({ log, sinks: [redisSink({ redis: own.redisUrl })] })
  await flush.flush()
  const live = followLog({ redis: { redis: own.redisUrl } })
  await live.start()
  const lags: number[] = []
  const perSecond: number[] = []
  let maxLagMs = 0
  let positions = 0
  const rebasedBefore = live.status().counters.rebased
  const startMs = performance.now()
  live.listen((event) => {
    if (event.kind !== 'applied') return
    positions++
    const nowMs = Date.now()
    for (const { operation, changedAt } of event.entry.changes) {
      if (operation !== 'update') continue
      lags.push(nowMs - changedAt)
      const second = Math.floor((performance.now() - startMs) / 1_000)
      perSecond[second] = Math.max(perSecond[second] ?? 0, nowMs - changedAt)
    }
    maxLagMs = Math.max(maxLagMs, live.status().lagMs)
  })

  const untilMs = startMs + stage.seconds(fullSeconds) * 1_000
  let written = 0
  const write = async (writer: number): Promise<void> => {
    const client = new pg.Client({ connectionString: own.postgresUrl })
    client.on('error', () => undefined)
    await client.connect()
    let mine = 0
    while (performance.now() < untilMs) {
      const due = ((performance.now() - startMs) / 1_000) * (changesPerSecond / writers)
      if (mine >= due) {
        await rest(sliceMs)
        continue
      }
      const updates = Array.from({ length: perCommit }, () => {
        // Each writer has rows of its own: two that lock each other's measure nothing.
        const id = 1 + writer + writers * Math.floor(Math.random() * Math.floor(shopProducts / writers))
        return `UPDATE product SET stock = ${mine} WHERE id = ${id}`
      })
      await client.query(updates.join('; '))
      mine += perCommit
      written += perCommit
    }
    await client.end()
  }
  const keepFlushing = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      await flush.flush().catch(() => undefined)
      await rest(flushEveryMs)
    }
  }
  const cpuBefore = await Promise.all(services.map(({ pid }) => cpuSeconds(pid)))
  await Promise.all([keepFlushing(), ...Array.from({ length: writers }, (_, writer) => write(writer))])
  const seconds = (performance.now() - startMs) / 1_000
  const cpuAfter = await Promise.all(services.map(({ pid }) => cpuSeconds(pid)))
  const { token } = await flush.flush()
  await live.reach(token, 30_000)
  const { rebased } = live.status().counters
  const { rows } = await own.pool.query<{ changes: number }>(
    `SELECT sum(jsonb_array_length(changes))::float8 AS changes FROM tidemark.log WHERE changes -> 0 ->> 'operation' = 'update'`,
  )
  const logged = rows[0]?.changes
  const cpu = cpuAfter.reduce((sum, after, i) => sum + after - cpuBefore[i]!, 0) / seconds
  await live.stop()
  flush.stop()
  await own.end()
  stage.say(`ship: the slowest change of each second, ms: ${perSecond.map((ms) => Math.round(ms)).join(' ')}`)
  return {
    who: perCommit === 1 ? 'a commit each' : `${perCommit} single-row updates a commit`,
    figures: [
      written / seconds,
      positions / seconds,
      percentile(lags, 0.5),
      percentile(lags, 0.99),
      percentile(lags, 1),
      maxLagMs,
      cpu,
    ].map(figure),
    invalid:
      logged === written && rebased === rebasedBefore
        ? undefined
        : `${written} were written and ${logged} logged; followed with ${rebased - rebasedBefore} gaps`,
  }
}
