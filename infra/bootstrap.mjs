/*
 * What `npm start`, `npm test` and `pnpm dev` run from a fresh clone: nothing is installed yet, so this file uses Node's
 * own parts only. It installs if the lockfile has changed since the last install, builds what has changed, then hands
 * over. When nothing has changed it needs no network.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { packageManager, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const quiet = {
  TURBO_TELEMETRY_DISABLED: '1',
  CHECKPOINT_DISABLE: '1',
  DO_NOT_TRACK: '1',
  NO_UPDATE_NOTIFIER: '1',
}
const env = { ...process.env, ...quiet }

const say = (line) => process.stdout.write(`${line}\n`)

function fail(line) {
  process.stderr.write(`tidemark: ${line}\n`)
  process.exit(1)
}

function checkNode() {
  const wanted = engines.node.replace('>=', '')
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [wantedMajor, wantedMinor] = wanted.split('.').map(Number)
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return
  fail(`Node ${process.versions.node} is too old: Tidemark needs ${wanted} or newer`)
}

const textOf = (file) => {
  try {
    return readFileSync(join(root, file), 'utf8')
  } catch {
    return undefined
  }
}

/** pnpm keeps a copy of the lockfile that it installed from. */
const isInstalled = () => {
  const installed = textOf('node_modules/.pnpm/lock.yaml')
  return installed !== undefined && installed === textOf('pnpm-lock.yaml')
}

/**
 * Told to end, npm ends the shell that it started and not what runs in it: then this process gets a new parent, and
 * that is the only sign.
 */
function whenAbandoned(act) {
  const parent = process.ppid
  const look = () => process.ppid !== parent && act()
  if (process.env.npm_lifecycle_event) setInterval(look, 250).unref()
}

/**
 * Runs a command in the foreground and gives its exit code. The terminal sends Ctrl-C to every process, a `kill` only
 * to this one: so each signal is passed on, once.
 */
function run(command, args, { ipc = false } = {}) {
  const stdio = ['inherit', 'inherit', 'inherit', ...(ipc ? ['ipc'] : [])]
  const child = spawn(command, args, { cwd: root, env, stdio, shell: process.platform === 'win32' })
  let told = false
  const pass = (signal) => {
    if (told) return
    told = true
    child.kill(signal)
  }
  whenAbandoned(() => pass('SIGTERM'))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const handlers = signals.map((signal) => [signal, () => pass(signal)])
  for (const [signal, handler] of handlers) process.on(signal, handler)
  return new Promise((resolve) => {
    child.on('error', (error) => fail(`cannot run ${command}: ${error.message}`))
    child.on('exit', (code, signal) => {
      for (const [name, handler] of handlers) process.off(name, handler)
      const number = { SIGINT: 2, SIGHUP: 1, SIGTERM: 15, SIGKILL: 9 }[signal] ?? 1
      resolve(told && code === null ? 130 : (code ?? 128 + number))
    })
  })
}

async function orExit(step) {
  const code = await step
  if (code !== 0) process.exit(code)
}

/** What the house runs on; the tests need everything. */
const ofTheHouse = ['--filter=./services/*', '--filter=@tidemark/infra']

async function prepare(filters) {
  if (!isInstalled()) {
    say(`installing packages (${packageManager})`)
    await orExit(run('npx', ['-y', packageManager, 'install', '--frozen-lockfile']))
  }
  say('building what has changed')
  await orExit(
    run(process.execPath, [join(root, 'node_modules/pnpm/bin/pnpm.cjs'), '--silent', 'build', ...filters]),
  )
}

checkNode()
const [task, ...args] = process.argv.slice(2)
const tasks = {
  start: () => run(process.execPath, ['infra/dist/start.js', ...args], { ipc: true }),
  dev: () => run(process.execPath, ['infra/dist/start.js', '--watch', ...args], { ipc: true }),
  test: () => run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args]),
}
if (!Object.hasOwn(tasks, task)) fail(`usage: node infra/bootstrap.mjs ${Object.keys(tasks).join(' | ')}`)
await prepare(task === 'test' ? [] : ofTheHouse)
process.exit(await tasks[task]())
