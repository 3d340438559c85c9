import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { createLogger, waitFor } from '../src/index.js'
import { createComponents } from '../src/lifecycle/components.js'
import { until, type LogLine } from './serving.js'

const CHILD = new URL('./child-service.ts', import.meta.url).pathname

function child(env: Record<string, string>) {
  const process_ = spawn(process.execPath, ['--conditions=tidemark:source', '--import', 'tsx', CHILD], {
    env: { ...process.env, PORT: '0', HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: LogLine[] = []
  let rest = ''
  process_.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts.map((line) => JSON.parse(line) as LogLine))
  })
  const exit = once(process_, 'close') as Promise<[number | null, string | null]>
  const said = (msg: string) => lines.find((line) => line.msg.includes(msg))
  return {
    lines,
    exit,
    said,
    kill: (signal: NodeJS.Signals) => process_.kill(signal),
    ready: async () => {
      await until(() => said('ready') !== undefined)
      return String(said('listening')?.url)
    },
  }
}

const TIMEOUT = { timeout: 20_000 }

test(
  'SIGTERM finishes the request in flight, stops parts in reverse order and exits 0',
  TIMEOUT,
  async () => {
    const service = child({ LOG_LEVEL: 'debug' })
    const url = await service.ready()
    const answer = fetch(url)
    await answer
    const late = fetch(url)
    await until(() => service.said('in flight 2') !== undefined)
    service.kill('SIGTERM')
    expect(await (await late).text()).toBe('done')
    expect(await service.exit).toEqual([0, null])
    const told = service.lines.filter(({ level }) => level === 'info').map(({ msg }) => msg)
    expect(told).toEqual(['listening', 'ready', 'draining', 'pool closed', 'stopped'])
  },
)

test('a second signal exits at once', TIMEOUT, async () => {
  const service = child({ SCENARIO: 'slow-stop', SHUTDOWN_TIMEOUT: '60s' })
  await service.ready()
  service.kill('SIGINT')
  await until(() => service.said('pool closed') !== undefined)
  service.kill('SIGINT')
  expect(await service.exit).toEqual([130, null])
})

test('a part that does not stop is named, bounded, and makes the exit code 1', TIMEOUT, async () => {
  const service = child({ SCENARIO: 'slow-stop', SHUTDOWN_TIMEOUT: '200ms' })
  await service.ready()
  service.kill('SIGTERM')
  expect(await service.exit).toEqual([1, null])
  expect(service.said('Pool did not stop')?.level).toBe('error')
})

test('a start step that hangs is bounded and named: one fatal line, exit 1', TIMEOUT, async () => {
  const service = child({ SCENARIO: 'hang', STARTUP_TIMEOUT: '300ms' })
  expect(await service.exit).toEqual([1, null])
  const fatal = service.lines.filter(({ level }) => level === 'fatal')
  expect(fatal.map(({ msg }) => msg)).toEqual([
    'Postgres did not start within the 300 ms allowed for starting: check DATABASE_URL',
  ])
  expect(service.said('pool closed')).toBeDefined()
})

test(
  'a store that refuses is asked again until the bound, and the last refusal is told',
  TIMEOUT,
  async () => {
    const service = child({ SCENARIO: 'refused', STARTUP_TIMEOUT: '400ms' })
    expect(await service.exit).toEqual([1, null])
    const fatal = service.lines.filter(({ level }) => level === 'fatal')
    expect(fatal).toHaveLength(1)
    expect(fatal[0]).toMatchObject({ code: 'start_timeout' })
    expect(fatal[0]?.msg).toContain('Redis did not start within the 400 ms')
    expect(fatal[0]?.msg).toContain('last failure: ')
  },
)

test('a signal while starting gives up the start and exits 0', TIMEOUT, async () => {
  const service = child({ SCENARIO: 'hang', LOG_LEVEL: 'debug' })
  await until(() => service.said('started') !== undefined)
  service.kill('SIGTERM')
  expect(await service.exit).toEqual([0, null])
  expect(service.said('pool closed')).toBeDefined()
})

test('a wrong configuration is one fatal line that names every mistake, exit 1', TIMEOUT, async () => {
  const service = child({ PORT: 'x', LOG_LEVEL: 'loud' })
  expect(await service.exit).toEqual([1, null])
  expect(service.lines).toHaveLength(1)
  expect(service.lines[0]).toMatchObject({ level: 'fatal', code: 'config_invalid' })
  expect(service.lines[0]?.msg).toMatch(/PORT is "x"[^]*LOG_LEVEL is "loud"/)
})

test('a rejection nobody handled is fatal, drained and exits 1', TIMEOUT, async () => {
  const service = child({ SCENARIO: 'crash' })
  const url = await service.ready()
  expect(await (await fetch(url)).text()).toBe('done')
  expect(await service.exit).toEqual([1, null])
  expect(service.said('unhandled rejection: forgotten')?.level).toBe('fatal')
  expect(service.said('pool closed')).toBeDefined()
})

test('waitFor gives up a probe that hangs and asks again', async () => {
  let asked = 0
  const probe = () => (++asked === 1 ? new Promise<string>(() => undefined) : 'up')
  expect(await waitFor('Redis', probe, { timeoutMs: 5_000, attemptTimeoutMs: 20 })).toBe('up')
  expect(asked).toBe(2)
})

test('waitFor names the store, the last failure and what to do', async () => {
  const probe = () => Promise.reject(new Error('connect ECONNREFUSED'))
  await expect(waitFor('Redis', probe, { timeoutMs: 100, hint: 'check REDIS_URL' })).rejects.toMatchObject({
    code: 'start_timeout',
    message: 'Redis was not reachable within 100 ms (connect ECONNREFUSED): check REDIS_URL',
  })
})

test('parts stop in the reverse order of their start, also behind one that fails', async () => {
  const logger = createLogger({ name: 'x', level: 'silent' })
  const components = createComponents({ logger, startupTimeoutMs: 1_000, shutdownTimeoutMs: 1_000 })
  const stopped: string[] = []
  for (const name of ['postgres', 'redis', 'server']) {
    await components.step(name, () => name, {
      stop: (part) => {
        stopped.push(part)
        if (part === 'redis') throw new Error('gone already')
      },
    })
  }
  expect(await components.stop()).toBe(false)
  expect(stopped).toEqual(['server', 'redis', 'postgres'])
})

test('a start that is told to stop gives up at once and begins nothing more', async () => {
  const logger = createLogger({ name: 'x', level: 'silent' })
  const components = createComponents({ logger, startupTimeoutMs: 60_000, shutdownTimeoutMs: 1_000 })
  const underWay = components.step('postgres', () => new Promise(() => undefined))
  components.cancel()
  await expect(underWay).rejects.toMatchObject({ code: 'start_cancelled' })
  let hasBegun = false
  const next = components.step('redis', () => (hasBegun = true))
  await expect(next).rejects.toMatchObject({ code: 'start_cancelled' })
  expect(hasBegun).toBe(false)
})

test('a first part that takes all its time leaves a reserve to the parts behind it', async () => {
  const logger = createLogger({ name: 'x', level: 'silent' })
  const components = createComponents({ logger, startupTimeoutMs: 1_000, shutdownTimeoutMs: 200 })
  const stopped: string[] = []
  await components.step('pool', () => 1, { stop: () => stopped.push('pool') })
  await components.step('server', () => 2, { stop: () => new Promise(() => undefined) })
  const startedAt = performance.now()
  expect(await components.stop()).toBe(false)
  expect(stopped).toEqual(['pool'])
  expect(performance.now() - startedAt).toBeLessThan(400)
})
