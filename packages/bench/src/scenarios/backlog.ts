import { logKeys } from '@tidemark/log'
import { eventually } from '@tidemark/testkit'
import { Redis } from 'ioredis'
import { memoryBytes, shipStage } from '../stage/shippers.js'
import type { Scenario } from './scenario.js'

const fullRows = 1_000_000
const insertRows = 50_000
const boundMs = 600_000
const watchEveryMs = 50

const figure = (median: number) => ({ median, spread: 0 })

/** A million changes that nobody sequenced, as after a night without any of our services; then two services start. */
export const backlog: Scenario = {
  name: 'backlog',
  async run(stage) {
    const rows = stage.isQuick ? fullRows / 10 : fullRows
    const own = await shipStage(stage)
    const services = [await own.launch(), await own.launch()]
    for (const service of services) service.signal('SIGSTOP')
    for (let done = 0; done < rows; done += insertRows)
      await own.pool.query(
        `INSERT INTO tidemark.outbox (resource, key, operation, tags, version)
         SELECT 'product', i::text, 'update', ARRAY['product', 'product:' || i, 'product.categoryId=' || i % 40], 1
         FROM generate_series($1::int, $2::int) i`,
        [done + 1, done + insertRows],
      )
    const before = await Promise.all(services.map(({ pid }) => memoryBytes(pid)))
    const startMs = performance.now()
    for (const service of services) service.signal('SIGCONT')
    let peak = 0
    const watch = async (): Promise<void> => {
      for (const { pid } of services) peak = Math.max(peak, await memoryBytes(pid))
    }
    const isLeft = async (): Promise<boolean> => {
      await watch()
      return (await own.pool.query('SELECT 1 FROM tidemark.waiting LIMIT 1')).rowCount !== 0
    }
    await eventually(async () => !(await isLeft()), { timeoutMs: boundMs, everyMs: watchEveryMs })
    const seconds = (performance.now() - startMs) / 1_000
    const redis = new Redis(own.redisUrl)
    const { rows: heads } = await own.pool.query<{ position: string }>('SELECT position FROM tidemark.clock')
    await eventually(
      async () => {
        await watch()
        const [newest] = await redis.xrevrange(logKeys().log, '+', '-', 'COUNT', 1)
        return newest?.[0].startsWith(`${heads[0]!.position}-`) === true
      },
      { timeoutMs: boundMs, everyMs: watchEveryMs },
    )
    const shippedSeconds = (performance.now() - startMs) / 1_000
    const after = await Promise.all(services.map(({ pid }) => memoryBytes(pid)))
    const entries = await redis.xrange(logKeys().log, '-', '+', 'COUNT', 2_000)
    const largest = Math.max(...entries.map(([, fields]) => fields.join('').length))
    redis.disconnect()
    await own.end()
    return [
      {
        title: `a back-log of ${rows.toLocaleString('en')} changes, 2 invalidation services`,
        columns: [
          { title: 'drained at', unit: '/s' },
          { title: 'until sequenced', unit: 'ms' },
          { title: 'until the stream is at its head', unit: 'ms' },
          { title: 'memory before', unit: 'B' },
          { title: 'peak', unit: 'B' },
          { title: 'after', unit: 'B' },
          { title: 'largest stream entry', unit: 'B' },
        ],
        rows: [
          {
            who: 'tidemark',
            isUs: true,
            figures: [
              figure(rows / seconds),
              figure(seconds * 1_000),
              figure(shippedSeconds * 1_000),
              figure(Math.max(...before)),
              figure(peak),
              figure(Math.max(...after)),
              figure(largest),
            ],
          },
        ],
        isMoreBetter: true,
      },
    ]
  },
}
