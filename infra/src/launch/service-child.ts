import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'

import { leash } from '../stores/leash.js'
import { stopProcess } from '../stores/process-control.js'
import { logTail } from '../stores/server-process.js'
import { InfraError } from '../stores/store.js'
import type { Say } from '../stores/store.js'
import { until } from '../stores/until.js'
import { eachLine } from './each-line.js'
import { surfaceErrors } from './surface-errors.js'
import type { ServiceName } from './settings.js'

const READY_BOUND_MS = 60_000
const PROBE_TIMEOUT_MS = 2_000
/** Longer than the services' own SHUTDOWN_TIMEOUT of 10 s, so that only a stuck one is killed. */
const DRAIN_BOUND_MS = 12_000

export interface ServiceChildOptions {
  readonly name: ServiceName
  readonly root: string
  readonly port: number
  readonly logFile: string
  readonly env: NodeJS.ProcessEnv
  readonly watch: boolean
  readonly say: Say
}

export interface ServiceChild {
  readonly name: ServiceName
  readonly url: string
  /** Undefined: it could not be started. */
  readonly pid: number | undefined
  /** Resolves with the reason when it ends, asked or not. */
  readonly ended: Promise<string>
  /** Also resolves when `signal` aborts. @throws InfraError `service_failed` if it ends first or takes over a minute */
  whenReady(signal: AbortSignal): Promise<void>
  /** SIGTERM, time to drain, SIGKILL. */
  stop(): Promise<void>
  logTail(): string
}

function commandLine(name: ServiceName, root: string, watch: boolean): string[] {
  const folder = join(root, 'services', name)
  if (!watch) return [join(folder, 'dist', 'main.js')]
  return ['--watch', '--conditions=tidemark:source', '--import', 'tsx', join(folder, 'src', 'main.ts')]
}

/** Starts a service in a session of its own, out of reach of the terminal's Ctrl-C; its log goes to a file. */
export function startService(options: ServiceChildOptions): ServiceChild {
  const { name, root, port, logFile, say } = options
  const url = `http://127.0.0.1:${String(port)}`
  const child = spawn(process.execPath, commandLine(name, root, options.watch), {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...options.env, HOST: '127.0.0.1', PORT: String(port) },
  })
  const log = createWriteStream(logFile)
  const surface = surfaceErrors(name, logFile, say)
  for (const stream of [child.stdout, child.stderr]) {
    eachLine(stream, (line) => {
      log.write(`${line}\n`)
      surface(line)
    })
  }
  const held =
    child.pid === undefined ? undefined : leash({ pid: child.pid, signal: 'TERM', patienceSeconds: 12 })
  let reason: string | undefined
  const ended = new Promise<string>((resolve) => {
    const end = (how: string): void => {
      reason ??= how
      held?.release()
      resolve(reason)
    }
    child.once('error', (error) => {
      end(error.message)
    })
    child.once('close', (code, signal) => {
      end(signal === null ? `exit code ${String(code)}` : `signal ${signal}`)
    })
  })
  const tail = (): string => logTail(logFile, 10)

  return {
    name,
    url,
    pid: child.pid,
    ended,
    logTail: tail,
    async whenReady(signal) {
      const ready = await until(async () => {
        if (signal.aborted) return true
        if (reason !== undefined) return false
        const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).catch(
          () => null,
        )
        await answer?.body?.cancel()
        return answer?.status === 200 ? true : undefined
      }, READY_BOUND_MS)
      if (ready) return
      const what =
        reason === undefined ? `is not ready after ${String(READY_BOUND_MS / 1000)} s` : `ended (${reason})`
      throw new InfraError(
        'service_failed',
        `the ${name} service ${what}; its log (${logFile}) ends:\n${tail()}`,
      )
    },
    async stop() {
      if (child.pid === undefined || reason !== undefined) return
      if ((await stopProcess(child.pid, 'SIGTERM', DRAIN_BOUND_MS)) === 'killed') {
        say(`the ${name} service did not drain within ${String(DRAIN_BOUND_MS / 1000)} s and was killed`)
      }
    },
  }
}
