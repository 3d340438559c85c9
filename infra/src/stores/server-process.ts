import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

/*
 * A server gets a session of its own (`detached`), so the terminal's Ctrl-C, which goes to the whole foreground group,
 * does not reach it: it ends when its starter says so, after everything that needs it has drained.
 */

const TAIL_BYTES = 4_000

export interface ServerCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly logFile: string
  /** Folder to start in; Postgres and Redis then move to their data folder. */
  readonly cwd?: string
  readonly uid?: number
  readonly gid?: number
  readonly env?: NodeJS.ProcessEnv
}

export interface ServerProcess {
  readonly pid: number
  /** Resolves once, with a short reason: "exit code 1", "signal SIGKILL". */
  readonly ended: Promise<string>
  /** The reason once it has ended, undefined while it runs. */
  endedWith(): string | undefined
}

/** Starts a server whose output is appended to `logFile`. @throws the system's error if the command cannot be run */
export async function spawnServer(server: ServerCommand): Promise<ServerProcess> {
  const log = openSync(server.logFile, 'a')
  const child = spawn(server.command, server.args, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: server.cwd,
    uid: server.uid,
    gid: server.gid,
    env: server.env ?? process.env,
  })
  closeSync(log)
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  let reason: string | undefined
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      reason = signal === null ? `exit code ${String(code)}` : `signal ${signal}`
      resolve(reason)
    })
  })
  child.unref()
  return { pid: child.pid!, ended, endedWith: () => reason }
}

/** The last lines of a log file: what to show when a server ends too early. */
export function logTail(logFile: string, lines = 10): string {
  try {
    return readFileSync(logFile, 'utf8').slice(-TAIL_BYTES).trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return ''
  }
}
