import { execFile } from 'node:child_process'
import { readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const POLL_MS = 20
const KILL_BOUND_MS = 5_000
const PROBE_TIMEOUT_MS = 3_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Sends a signal; false if there is no such process (any more). */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A zombie counts as dead: in a container nobody may ever reap an orphan. */
export async function isAlive(pid: number): Promise<boolean> {
  if (!signalProcess(pid, 0)) return false
  if (process.platform !== 'linux') return true
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined)
  // Reaped since, or /proc is not ours to read.
  if (stat === undefined) return signalProcess(pid, 0)
  return !'ZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2))
}

/**
 * The folder a process works in. Postgres and Redis both move into their data folder, so this tells a server of ours
 * from a stranger that was given the same process id later.
 */
export async function workingFolder(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') return await readlink(`/proc/${String(pid)}/cwd`)
    const { stdout } = await run('lsof', ['-a', '-p', String(pid), '-d', 'cwd', '-Fn'], {
      timeout: PROBE_TIMEOUT_MS,
    })
    return /^n(.+)$/m.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}

/** Process ids of the direct children of `pid`. */
export async function childrenOf(pid: number): Promise<number[]> {
  if (process.platform === 'linux') {
    const path = `/proc/${String(pid)}/task/${String(pid)}/children`
    const text = await readFile(path, 'utf8').catch(() => undefined)
    if (text !== undefined) return text.trim().split(' ').filter(Boolean).map(Number)
  }
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid='], { timeout: PROBE_TIMEOUT_MS })
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number))
  return rows.filter((row) => row[1] === pid).map((row) => row[0]!)
}

async function hasEnded(pid: number, boundMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs <= boundMs; waitedMs += POLL_MS) {
    if (!(await isAlive(pid))) return true
    await pause(POLL_MS)
  }
  return false
}

/** Asks a process to end, waits up to `boundMs`, then kills it. Resolves when it is gone; says whether it went by itself. */
export async function stopProcess(
  pid: number,
  signal: NodeJS.Signals,
  boundMs: number,
): Promise<'ended' | 'killed'> {
  signalProcess(pid, signal)
  if (await hasEnded(pid, boundMs)) return 'ended'
  signalProcess(pid, 'SIGKILL')
  await hasEnded(pid, KILL_BOUND_MS)
  return 'killed'
}
