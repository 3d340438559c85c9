import { spawn } from 'node:child_process'
import { join } from 'node:path'

import { InfraError } from '../stores/store.js'
import type { Say } from '../stores/store.js'
import { eachLine } from './each-line.js'

export interface ScriptRun {
  /** For messages: "migrate". */
  readonly name: string
  readonly root: string
  /** Relative to the root. */
  readonly file: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly say: Say
}

/** Runs one of the house's one-shot programs and says what it says. @throws InfraError `script_failed` */
export async function runScript({ name, root, file, env, signal, say }: ScriptRun): Promise<void> {
  const child = spawn(process.execPath, [join(root, file)], {
    cwd: root,
    env,
    detached: true,
    signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const words: string[] = []
  eachLine(child.stdout, (line) => {
    say(`${name}: ${line}`)
  })
  eachLine(child.stderr, (line) => words.push(line))
  const ending = await new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message)
    })
    child.once('close', (code, by) => {
      resolve(code === 0 ? '' : by === null ? `exit code ${String(code)}` : `signal ${by}`)
    })
  })
  if (ending === '' || signal.aborted) return
  throw new InfraError('script_failed', `${name} failed (${ending})\n${words.slice(-10).join('\n')}`)
}
