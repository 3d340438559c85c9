import { eventually } from '../eventually.js'
import { runChild } from '../run-child.js'
import type { Child } from '../run-child.js'
import { exchange } from './exchange.js'
import type { Received, Sending } from './exchange.js'

export type ServiceName = 'read' | 'write' | 'invalidation'

/** A service that runs as a process of its own, on a free port. */
export interface ServiceProcess {
  readonly name: ServiceName
  readonly url: string
  readonly process: Child
  readonly hasEnded: boolean
  send(method: string, path: string, sending?: Sending): Promise<Received>
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Received>
  /** Sum of the samples of a metric that have these labels. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
}

const startBoundMs = 60_000

/** Starts a service from its source, without waiting for it: what it prints and how it ends are the caller's to judge. */
export function launchService(name: ServiceName, env: Readonly<Record<string, string>>): Child {
  const main = new URL(`../../../../services/${name}/src/main.ts`, import.meta.url)
  return runChild(main, { env: { PORT: '0', HOST: '127.0.0.1', ...env } })
}

/** Resolves once it says that it is ready. @throws with what it printed, when it ends instead */
export async function startService(
  name: ServiceName,
  env: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const process = launchService(name, env)
  let hasEnded = false
  void process.ended.then(() => {
    hasEnded = true
  })
  const port = await eventually(
    () => {
      const said = /"port":(\d+)[^\n]*"msg":"listening"/.exec(process.output())?.[1]
      if (said !== undefined && process.output().includes('"msg":"ready"')) return said
      return hasEnded ? '' : null
    },
    { timeoutMs: startBoundMs, everyMs: 20 },
  )
  if (port === '') throw new Error(`the ${name} service did not start:\n${process.output()}`)
  const url = `http://127.0.0.1:${port}`
  const send = (method: string, path: string, sending?: Sending): Promise<Received> =>
    exchange(url, method, path, sending)
  return {
    name,
    url,
    process,
    get hasEnded() {
      return hasEnded
    },
    send,
    get: (path, headers = {}) => send('GET', path, { headers }),
    async metric(metricName, labels = {}) {
      const { text } = await send('GET', '/metrics')
      return sumOf(text, metricName, labels)
    },
  }
}

function sumOf(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
