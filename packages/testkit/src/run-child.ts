import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const OUTPUT_LIMIT = 8_000
const NEXT_TIMEOUT_MS = 15_000

/** Listening for the channel's end must not itself keep the child alive: a child may simply finish. */
const END_WITH_PARENT = "process.on('disconnect', () => process.exit(1)); process.channel?.unrefCounted?.()"

/** What parent and child say to each other: JSON objects with a `type`. In the child: `process.send({ type, … })`. */
export interface ChildMessage {
  readonly type: string
  readonly [field: string]: unknown
}

export interface RunChildOptions {
  readonly args?: readonly string[]
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Child {
  readonly pid: number
  send(message: ChildMessage): void
  /** The next message of this type, in the order they came, none lost. @throws when the child ends or `timeoutMs` pass */
  next(type: string, timeoutMs?: number): Promise<ChildMessage>
  /** Default SIGTERM. Resolves when it has ended; a stopped child is woken first, for it could not end. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Sends a signal and does not wait, e.g. SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** The end of what it has printed, both streams. */
  output(): string
}

/**
 * A TypeScript file as a process of its own, on the workspace's sources, with an IPC channel. It ends when its parent
 * does, because losing the channel ends it.
 */
export function spawnChild(file: URL, { args = [], env = {} }: RunChildOptions = {}): ChildProcess {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const orphan = `data:text/javascript,${encodeURIComponent(END_WITH_PARENT)}`
  const flags = ['--conditions=tidemark:source', '--import', tsx, '--import', orphan]
  return spawn(process.execPath, [...flags, fileURLToPath(file), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
}

/**
 * `spawnChild`, and words for it.
 *
 * @example const child = runChild(new URL('./children/writer.ts', import.meta.url), { args: [url] })
 */
export function runChild(file: URL, options: RunChildOptions = {}): Child {
  const child = spawnChild(file, options)
  let text = ''
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-OUTPUT_LIMIT)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)

  const waiting: ChildMessage[] = []
  const wakers = new Set<() => void>()
  const wake = (): void => {
    for (const waker of wakers) waker()
  }
  child.on('message', (message) => {
    waiting.push(message as ChildMessage)
    wake()
  })
  child.on('error', wake)
  let hasEnded = false
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      hasEnded = true
      resolve({ code, signal })
      wake()
    })
  })

  return {
    pid: child.pid ?? 0,
    ended,
    output: () => text,
    send(message) {
      child.send(message)
    },
    next(type, timeoutMs = NEXT_TIMEOUT_MS) {
      return new Promise((resolve, reject) => {
        const settle = (act: () => void): void => {
          clearTimeout(timer)
          wakers.delete(look)
          act()
        }
        const fail = (why: string): void => {
          settle(() => {
            reject(new Error(`no "${type}" from ${file.pathname}: ${why}\n${text}`))
          })
        }
        const look = (): void => {
          const index = waiting.findIndex((message) => message.type === type)
          if (index >= 0) {
            const [message] = waiting.splice(index, 1)
            settle(() => {
              resolve(message!)
            })
          } else if (hasEnded) fail('it has ended')
        }
        const timer = setTimeout(() => {
          fail(`nothing within ${String(timeoutMs)} ms`)
        }, timeoutMs)
        wakers.add(look)
        look()
      })
    },
    signal(signal) {
      child.kill(signal)
    },
    async kill(signal = 'SIGTERM') {
      if (hasEnded) return
      child.kill(signal)
      if (signal !== 'SIGKILL') child.kill('SIGCONT')
      await ended
    },
  }
}
