/** `pnpm replay`: drives the services with a trace and judges every answer. Exit code 0: no stale answer; 1: some; 2: no run. */
import { InfraError } from '@tidemark/infra'
import pg from 'pg'
import { interruptible } from '../interruptible.js'
import type { Tally } from './tally.js'
import { drive } from './drive.js'
import { History } from './history.js'
import { httpClient } from './http-client.js'
import { createLagProbe } from './lag-probe.js'
import { originReads } from './origin-reads.js'
import type { ReplayOptions } from './options.js'
import { readOptions, usage } from './options.js'
import { hasPassed, report } from './report.js'
import { startStack } from './stack.js'
import { readTrace, toProductIds, zipfTrace } from './trace.js'
import { createWriters } from './writers.js'

const now = (): number => performance.now()
const { stack, signal: interrupted } = interruptible(console.log)

async function replay(options: ReplayOptions): Promise<boolean> {
  const trace = (
    options.trace === undefined ? zipfTrace({ seed: options.seed }) : await readTrace(options.trace)
  ).slice(0, options.requests)
  const urls = options.at ?? (await startStack(stack, options.readers, interrupted))

  const database = new pg.Pool({
    connectionString: urls.database,
    max: 8,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
  })
  database.on('error', () => undefined)
  stack.push(() => database.end())
  const { rows } = await database.query<{ products: number; stock: number }>(
    'SELECT max(id)::int AS products, max(stock)::int AS stock FROM product',
  )
  const { products, stock } = rows[0]!
  const clients = [urls.write, ...urls.readers].map((url) => httpClient(url, options.clients))
  const [service, ...readers] = clients
  stack.push(async () => {
    await Promise.all(clients.map((client) => client.close()))
  })

  const history = new History(options.maxLagMs)
  const writers = createWriters({ service: service!, database, history, now, firstValue: stock + 1 })
  const probe = createLagProbe(now)
  const before = await originReads(readers)
  const startedAt = now()
  console.log(`replaying ${trace.length} requests with ${options.clients} clients`)
  const tally = await drive({
    ...options,
    trace: toProductIds(trace, products),
    readers,
    writers,
    history,
    probe,
    now,
    onProgress: (sofar) => {
      console.log(progress(sofar, trace.length, writers.done, (now() - startedAt) / 1_000))
    },
  })
  const seconds = (now() - startedAt) / 1_000
  const after = await originReads(readers)
  console.log(report({ tally, writers, probe, seconds, originReads: after - before }))
  return hasPassed(tally, probe)
}

function progress(
  tally: Tally,
  total: number,
  done: { service: number; sql: number },
  seconds: number,
): string {
  const share = `${((100 * tally.requests) / total).toFixed(0)} %`
  return `${share.padStart(5)}  ${Math.round(tally.requests / seconds)}/s  writes ${done.service + done.sql}  stale ${tally.wrong.length}  failed ${tally.failed}`
}

try {
  const options = readOptions(process.argv.slice(2))
  const passed = await replay(options)
  await stack.unwind()
  process.exitCode = passed ? 0 : 1
} catch (error) {
  if (!interrupted.aborted) {
    const isUsage =
      error instanceof Error &&
      !(error instanceof InfraError) &&
      (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
    console.error(error instanceof Error ? error.message : error)
    if (isUsage) console.error(usage)
    await stack.unwind()
    process.exitCode = 2
  }
}
