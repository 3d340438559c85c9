import { fork } from 'node:child_process'
import type { Verdict } from '@tidemark/cache/testing'

const file = new URL('../race.child.js', import.meta.url)
const deadlineMs = 60_000
const outputMax = 8_000

export interface RaceStores {
  readonly redisUrl: string
  readonly postgresUrl: string
}

/** Runs one race of one library in a process of its own. */
export function runRace(library: string, id: string, stores: RaceStores): Promise<Verdict> {
  const child = fork(file, [library, id, stores.redisUrl, stores.postgresUrl], { silent: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-outputMax)
    })
  return new Promise((resolve) => {
    let verdict: Verdict | undefined
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
    child.on('message', (message) => {
      verdict = message as Verdict
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve(verdict ?? { passed: false, saw: `the process crashed: ${reason(output) ?? signal ?? code}` })
    })
  })
}

const reason = (output: string): string | undefined =>
  output
    .split('\n')
    .find((line) => /error\b.*:/i.test(line))
    ?.trim()
    .slice(0, 100)
