import { fork } from 'node:child_process'
import { figureOf } from '../measure/figure.js'
import { alternate } from '../measure/alternate.js'
import type { Row } from '../measure/table.js'
import type { ServerKind, ServerOrder } from '../http-server.child.js'
import { findLoader } from '../stage/http-load.js'
import type { Stage } from '../stage/stage.js'
import type { Scenario } from './scenario.js'

const connections = 64
/** Compilers take some 100,000 requests to settle. */
const warmUpSeconds = 4
const path = '/v1/products/1'

interface Server {
  readonly who: string
  readonly isUs?: boolean
  readonly url: string
  /** Processor time that the server has used so far. */
  readonly cpuMs: () => Promise<number>
  invalid?: string | undefined
}

const rivals: readonly { kind: ServerKind; who: string }[] = [
  { kind: 'same-headers', who: 'bare node:http, ready Buffer, the same headers' },
  { kind: 'minimal', who: 'bare node:http, ready Buffer, two headers' },
  { kind: 'express-send', who: 'Express 5, res.send(Buffer)' },
  { kind: 'express-json', who: 'Express 5, res.json(object)' },
]

/** One server is loaded at a time; the others lie idle. The load comes from a process of its own. */
export const httpHit: Scenario = {
  name: 'http-hit',
  async run(stage) {
    const load = await findLoader()
    const read = await stage.start('read')
    const ours = `${read}${path}`
    const first = await fetch(ours)
    const body = await first.text()
    const answer = await fetch(ours)
    const headers = [...answer.headers].filter(
      ([name]) => !['date', 'connection', 'keep-alive'].includes(name),
    )
    const servers: Server[] = [
      { who: 'tidemark, read service', isUs: true, url: ours, cpuMs: () => scrapeCpuMs(read) },
    ]
    if ((await answer.text()) !== body || answer.headers.get('cache-status')?.includes('detail=l1') !== true)
      servers[0]!.invalid = `not a hit in L1: ${answer.headers.get('cache-status')}`
    for (const { kind, who } of rivals) {
      const { url, cpuMs } = await startRival(stage, { kind, body, headers: headers.flat() })
      const reply = await fetch(url)
      const isSame = (await reply.text()) === body
      servers.push({ who, url, cpuMs, invalid: isSame ? undefined : 'another body' })
    }
    for (const { url } of servers) await load({ url, connections, seconds: warmUpSeconds })
    const results = await alternate(servers, stage.rounds(7), async ({ url, cpuMs }) => {
      const beforeMs = await cpuMs()
      const result = await load({ url, connections, seconds: Math.max(1, stage.seconds(3)) })
      return { ...result, cpuPerRequestMs: ((await cpuMs()) - beforeMs) / result.requests }
    })
    const rows = [...results].map(([{ who, isUs = false, invalid }, rounds]): Row => {
      const failed = rounds.reduce((sum, round) => sum + round.failed, 0)
      return {
        who,
        isUs,
        figures: [
          figureOf(rounds.map((round) => round.perSecond)),
          figureOf(rounds.map((round) => round.p50Ms)),
          figureOf(rounds.map((round) => round.p99Ms)),
          figureOf(rounds.map((round) => round.cpuPerRequestMs)),
        ],
        invalid: invalid ?? (failed > 0 ? `${failed} failed` : undefined),
      }
    })
    return [
      {
        title: `HTTP hit: GET of ${Buffer.byteLength(body)} B JSON, ${connections} connections (${load.tool})`,
        columns: [
          { title: 'requests', unit: '/s' },
          { title: 'p50', unit: 'ms' },
          { title: 'p99', unit: 'ms' },
          { title: 'CPU per request', unit: 'ms', isCpu: true },
        ],
        rows,
        isMoreBetter: true,
      },
    ]
  },
}

async function scrapeCpuMs(origin: string): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text()
  return Number(/^process_cpu_seconds_total\S* (\S+)/m.exec(text)?.[1]) * 1_000
}

async function startRival(stage: Stage, order: ServerOrder): Promise<Pick<Server, 'url' | 'cpuMs'>> {
  const child = fork(new URL('../http-server.child.js', import.meta.url), { execArgv: [] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  stage.stack.push(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const hear = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const gone = (): void => {
        reject(new Error(`the server "${order.kind}" has ended`))
      }
      child.once('exit', gone)
      child.once('message', (message) => {
        child.off('exit', gone)
        resolve(message as number)
      })
    })
  const ask = (question: ServerOrder | 'cpu'): Promise<number> => {
    const heard = hear()
    child.send(question)
    return heard
  }
  const port = await ask(order)
  return { url: `http://127.0.0.1:${port}${path}`, cpuMs: () => ask('cpu') }
}
