/** Load over HTTP from a process of its own: `wrk` where it is on the PATH, else autocannon. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const patienceMs = 20_000

interface LoadResult {
  readonly perSecond: number
  readonly requests: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers other than 2xx, and broken connections. */
  readonly failed: number
}

interface LoadOrder {
  readonly url: string
  readonly connections: number
  readonly seconds: number
}

export interface Loader {
  (order: LoadOrder): Promise<LoadResult>
  tool: string
}

export async function findLoader(): Promise<Loader> {
  const hasWrk = await run('wrk', ['-v']).then(
    () => true,
    (error: { code?: unknown }) => error.code !== 'ENOENT',
  )
  return hasWrk ? Object.assign(wrk, { tool: 'wrk' }) : Object.assign(autocannon, { tool: 'autocannon' })
}

async function wrk({ url, connections, seconds }: LoadOrder): Promise<LoadResult> {
  const args = ['-t1', `-c${connections}`, `-d${Math.round(seconds)}s`, '--latency', url]
  const { stdout } = await run('wrk', args, { timeout: seconds * 1_000 + patienceMs })
  const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? 0)
  const socketErrors = /Socket errors: (.*)/.exec(stdout)?.[1] ?? ''
  const broken = [...socketErrors.matchAll(/\d+/g)].reduce((sum, [digits]) => sum + Number(digits), 0)
  return {
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    requests: number(/(\d+) requests in/),
    p50Ms: milliseconds(/\s50%\s+(\S+)/.exec(stdout)?.[1]),
    p99Ms: milliseconds(/\s99%\s+(\S+)/.exec(stdout)?.[1]),
    failed: number(/Non-2xx or 3xx responses: (\d+)/) + broken,
  }
}

/** `812.00us`, `1.07ms`, `1.20s`. */
function milliseconds(text = ''): number {
  const value = Number.parseFloat(text)
  if (text.endsWith('us')) return value / 1_000
  return text.endsWith('ms') ? value : value * 1_000
}

interface AutocannonReport {
  readonly requests: { readonly average: number; readonly total: number }
  readonly latency: { readonly p50: number; readonly p99: number }
  readonly non2xx: number
  readonly errors: number
}

async function autocannon({ url, connections, seconds }: LoadOrder): Promise<LoadResult> {
  const program = fileURLToPath(import.meta.resolve('autocannon/autocannon.js'))
  const args = [program, '--json', '-c', String(connections), '-d', String(Math.round(seconds)), url]
  const { stdout } = await run(process.execPath, args, { timeout: seconds * 1_000 + patienceMs })
  const { requests, latency, non2xx, errors } = JSON.parse(stdout) as AutocannonReport
  return {
    perSecond: requests.average,
    requests: requests.total,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
    failed: non2xx + errors,
  }
}
