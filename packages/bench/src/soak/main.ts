/** `pnpm soak`: exit code 0: no wrong answer and no change untold; 1: some; 2: no run. */
import pg from 'pg'
import { interruptible } from '../interruptible.js'
import { History } from '../replay/history.js'
import { httpClient } from '../replay/http-client.js'
import { createLagProbe } from '../replay/lag-probe.js'
import { randomFrom } from '../replay/random.js'
import { createSession } from '../replay/readers.js'
import { emptyTally, note } from '../replay/tally.js'
import { createWriters, writerOf } from '../replay/writers.js'
import { beginFaults } from './faults.js'
import { readOptions, usage } from './options.js'
import type { SoakOptions } from './options.js'
import { keepPace } from './pace.js'
import { hasPassed, report } from './report.js'
import { setSoakStage } from './stage.js'
import { subscribe } from './subscribers.js'
import { createToldLedger } from './told-ledger.js'

const maxLagMs = 2_000
const writersAtOnce = 24
const readersAtOnce = 32
const progressEveryMs = 10_000
/** What is under way when the load ends has so long to arrive. */
const lastChangesMs = 60_000

const now = (): number => performance.now()
const say = (line: string): void => {
  console.log(line)
}
const { stack, signal: interrupted } = interruptible(say)

async function soak(options: SoakOptions): Promise<boolean> {
  const stage = await setSoakStage(stack, interrupted, say)
  const database = new pg.Pool({ connectionString: stage.database, max: 24, query_timeout: 10_000 })
  database.on('error', () => undefined)
  stack.push(() => database.end())
  const { rows } = await database.query<{ products: number; stock: number }>(
    'SELECT max(id)::int AS products, max(stock)::int AS stock FROM product',
  )
  const { products, stock } = rows[0]!
  const service = httpClient(stage.write, writersAtOnce)
  const readers = stage.readers.map((url) => httpClient(url, readersAtOnce))
  stack.push(async () => {
    await Promise.all([service, ...readers].map((client) => client.close()))
  })

  const history = new History(maxLagMs)
  const writers = createWriters({ service, database, history, now, firstValue: stock + 1 })
  const ledger = createToldLedger(readers.length)
  const probe = createLagProbe(now, 1)
  const tally = emptyTally()
  const random = randomFrom(options.seed)
  const [ending, listening] = [new AbortController(), new AbortController()]
  const subscribers = subscribe(stage.readers, ledger, listening.signal)
  // Who is not yet connected begins at the head, and would miss what came before.
  await new Promise((resolve) => setTimeout(resolve, 1_000))

  const pick = (wanted: 'sql' | 'service'): number => {
    const id = 1 + Math.floor(random() * products)
    return writerOf(id) === wanted ? id : id === products ? id - 1 : id + 1
  }
  let turns = 0
  const change = async (wanted: 'sql' | 'service', session?: ReturnType<typeof createSession>) => {
    const write = await writers.write(pick(wanted))
    if (write === undefined) return
    ledger.owe(write.productId, write.version, write.acknowledgedAt)
    session?.learn(write.token)
    if (turns++ % 20 === 0) probe.follow(write, readers[turns % readers.length]!)
  }
  const sessions = Array.from({ length: readersAtOnce }, () => createSession(now, tally.refused))
  const free = [...sessions]
  const look = async (): Promise<void> => {
    const session = free.pop()!
    const draw = random()
    const level = draw < 0.05 ? 'strict' : draw < 0.3 ? 'session' : 'bounded'
    try {
      // Half of the reads go to a few products, half to any: hits and loads.
      const id = 1 + Math.floor(random() * (random() < 0.5 ? products / 20 : products))
      const observation = await session.read(readers[turns++ % readers.length]!, id, level)
      if (observation !== undefined) note(tally, observation, history)
    } catch {
      tally.failed++
    }
    tally.requests++
    free.push(session)
  }

  const { signal } = ending
  const startedAt = now()
  const since = (): string => `${((now() - startedAt) / 1_000).toFixed(0)} s`
  const faults = beginFaults({
    stage,
    random: randomFrom(options.seed + 1),
    signal,
    say: (line) => {
      say(`${since().padStart(6)}  ${line}`)
    },
  })
  const progress = setInterval(() => {
    const written = writers.done.service + writers.done.sql
    say(
      `${since().padStart(6)}  changes ${written}, untold ${ledger.outstanding.length}, reads ${tally.requests}, wrong ${tally.wrong.length}, failed ${tally.failed + writers.failed}`,
    )
  }, progressEveryMs)
  stack.push(() => {
    clearInterval(progress)
    ending.abort()
    listening.abort()
    return Promise.resolve()
  })
  const load = Promise.all([
    keepPace({
      perSecond: options.changes * (1 - options.serviceShare),
      atOnce: writersAtOnce,
      signal,
      work: () => change('sql'),
    }),
    keepPace({
      perSecond: options.changes * options.serviceShare,
      atOnce: writersAtOnce,
      signal,
      work: () => change('service', sessions[Math.floor(random() * sessions.length)]),
    }),
    keepPace({ perSecond: options.reads, atOnce: readersAtOnce, signal, work: look }),
  ])
  const time = setTimeout(() => {
    ending.abort()
  }, options.minutes * 60_000)
  await load
  clearTimeout(time)
  const seconds = (now() - startedAt) / 1_000
  say(`${since().padStart(6)}  the load ends`)
  await faults.ended
  await probe.settled()
  const until = now() + lastChangesMs
  while (ledger.outstanding.length > 0 && now() < until)
    await new Promise((resolve) => setTimeout(resolve, 100))
  clearInterval(progress)
  listening.abort()
  await subscribers.ended
  const found = { tally, writers, probe, ledger, subscribers, faults, seconds }
  say(report(found))
  return hasPassed(found)
}

try {
  const passed = await soak(readOptions(process.argv.slice(2)))
  await stack.unwind()
  process.exitCode = passed ? 0 : 1
} catch (error) {
  if (!interrupted.aborted) {
    const isUsage = (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
    console.error(error)
    if (isUsage) console.error(usage)
    await stack.unwind()
    process.exitCode = 2
  }
}
process.exit()
