import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { freePort, isPortFree } from '../src/stores/free-port.js'
import { until } from '../src/stores/until.js'

// What people run is the build, and `npm test` has just made it.
const START = fileURLToPath(new URL('../dist/start.js', import.meta.url))
const UP_BOUND_MS = 120_000
const run = promisify(execFile)

let folder = ''
let ports: Record<string, number> = {}
const running = new Set<ChildProcess>()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-start-'))
  await chmod(folder, 0o711)
  ports = { WRITE_PORT: await freePort(), READ_PORT: await freePort(), INVALIDATION_PORT: await freePort() }
})
afterEach(async () => {
  for (const child of running) {
    child.kill('SIGTERM')
    await once(child, 'close')
  }
  await rm(folder, { recursive: true, force: true })
})

/** The channel ends the launcher if this test process is killed. */
function start(args: string[] = [], more: Record<string, string> = {}) {
  const own = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]))
  const { DATABASE_URL: _database, REDIS_URL: _redis, ...inherited } = process.env
  const env = { ...inherited, ...own, TIDEMARK_FOLDER: folder, ...more }
  const child = spawn(process.execPath, [START, ...args], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const closed = once(child, 'close').then(([code]) => {
    running.delete(child)
    return code as number | null
  })
  return {
    child,
    closed,
    output: () => output,
    async isUp() {
      const up = await until(
        () => Promise.resolve(/Ctrl-C stops it/.test(output) || !running.has(child) || undefined),
        UP_BOUND_MS,
      )
      if (!up || !running.has(child)) throw new Error(`the house did not come up:\n${output}`)
    },
  }
}

test('a first start shows a write travelling; its curl lines work as printed; Ctrl-C ends it and keeps the data', async () => {
  const first = start()
  await first.isUp()
  expect(first.output()).toMatch(/Lag: a plain read showed the new price \d+\.\d ms/)
  const lines = first
    .output()
    .split('\n')
    .filter((line) => line.startsWith('  curl '))
  expect(lines.length).toBeGreaterThan(4)
  for (const line of lines) {
    const { stdout } = await run('sh', ['-c', line.trim()], { timeout: 20_000 })
    expect(stdout, line).toMatch(/^HTTP\/1\.1 2\d\d /)
  }
  const answer = await fetch(`http://127.0.0.1:${String(ports['READ_PORT'])}/v1/products/1`)
  const { version } = (await answer.json()) as { version: number }
  first.child.kill('SIGINT')
  first.child.kill('SIGINT')
  expect(await first.closed).toBe(0)
  for (const port of Object.values(ports)) expect(await isPortFree(port)).toBe(true)

  const second = start()
  await second.isUp()
  const later = await fetch(`http://127.0.0.1:${String(ports['READ_PORT'])}/v1/products/1`)
  expect(((await later.json()) as { version: number }).version).toBe(version + 1)
  second.child.kill('SIGTERM')
  expect(await second.closed).toBe(0)
}, 240_000)

test('a taken port is told in one line with its variable before anything is started', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(ports['READ_PORT'], '127.0.0.1', resolve))
  const { closed, output } = start()
  expect(await closed).toBe(1)
  expect(output().trim().split('\n')).toHaveLength(1)
  expect(output()).toContain(`port ${String(ports['READ_PORT'])} for the read service (READ_PORT) is taken`)
  taken.close()
})

test('a wrong store URL is told in one line with variable, host and port, and without the password', async () => {
  const port = await freePort()
  const { closed, output } = start([], { DATABASE_URL: `postgres://me:hunter2@127.0.0.1:${String(port)}/db` })
  expect(await closed).toBe(1)
  expect(output()).toBe(
    `tidemark: DATABASE_URL: no Postgres to be used at 127.0.0.1:${String(port)} (ECONNREFUSED)\n`,
  )
})
