import type { ChildProcess } from 'node:child_process'

import type { RaceSetup } from './adapter.js'
import type { FromProcess, ToProcess } from './messages.js'

interface Waiting {
  readonly resolve: (values: readonly unknown[]) => void
  readonly reject: (error: Error) => void
}

const outputMax = 2_000

/** A node in a process of its own, as the race sees it; what it loads it loads from the race. */
export class RaceProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended: Promise<void>
  #calls = 0
  #output = ''
  /** How it ended; undefined while it runs. */
  end: string | undefined

  constructor(child: ChildProcess, load: (key: string) => Promise<unknown>) {
    this.#child = child
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-outputMax)
    })
    child.on('message', (message) => {
      this.#hear(message as FromProcess, load)
    })
    child.on('error', () => undefined)
    this.#ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.end = `ended with ${signal ?? code ?? 'nothing'}${this.#reason()}`
        for (const { reject } of this.#waiting.values()) reject(new Error(`the process has ${this.end}`))
        this.#waiting.clear()
        resolve()
      })
    })
  }

  async open(setup: RaceSetup): Promise<void> {
    await this.#call({ kind: 'open', id: ++this.#calls, setup })
  }

  /** That many calls at once for `key`; the different values that they were given. */
  ask(key: string, callers = 1): Promise<readonly unknown[]> {
    return this.#call({ kind: 'ask', id: ++this.#calls, key, callers })
  }

  /** As in a crash. */
  async kill(): Promise<void> {
    if (this.end !== undefined) return
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #call(order: ToProcess & { readonly id: number }): Promise<readonly unknown[]> {
    if (this.end !== undefined) return Promise.reject(new Error(`the process has ${this.end}`))
    return new Promise((resolve, reject) => {
      this.#waiting.set(order.id, { resolve, reject })
      this.#tell(order)
    })
  }

  #hear(message: FromProcess, load: (key: string) => Promise<unknown>): void {
    if (message.kind === 'load') {
      void load(message.key).then((value) => {
        this.#tell({ kind: 'loaded', load: message.load, value })
      })
      return
    }
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.kind === 'done') waiting?.resolve(message.values)
    else waiting?.reject(new Error(message.why))
  }

  #tell(order: ToProcess): void {
    if (this.#child.connected) this.#child.send(order, () => undefined)
  }

  /** The line of what it printed that names the error. */
  #reason(): string {
    const lines = this.#output.split('\n')
    const line =
      lines.find((each) => /error\b.*:/i.test(each)) ?? lines.findLast((each) => each.trim() !== '')
    return line === undefined ? '' : `: ${line.trim().slice(0, 120)}`
  }
}
