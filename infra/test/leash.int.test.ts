import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { expect, test } from 'vitest'

import { isAlive, stopProcess } from '../src/stores/process-control.js'
import { until } from '../src/stores/until.js'

const OWNER = `
const { leash } = await import(process.env.LEASH)
const { spawn } = await import('node:child_process')
const server = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
leash({ pid: server.pid, signal: 'TERM', patienceSeconds: 1 })
console.log(server.pid)
setInterval(() => {}, 1000)
`

test('a server on a leash ends when its owner is killed outright', async () => {
  const flags = ['--conditions=tidemark:source', '--import', 'tsx', '--input-type=module', '-e', OWNER]
  const env = { ...process.env, LEASH: new URL('../src/stores/leash.ts', import.meta.url).href }
  const owner = spawn(process.execPath, flags, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(owner.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  try {
    expect(await isAlive(pid)).toBe(true)
    owner.kill('SIGKILL')
    expect(await until(async () => ((await isAlive(pid)) ? undefined : 'gone'), 5_000)).toBe('gone')
  } finally {
    await stopProcess(pid, 'SIGKILL', 1_000)
  }
})
