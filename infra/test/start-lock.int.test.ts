import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { takeStartLock } from '../src/launch/start-lock.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-lock-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a second start in the same folder is refused with the process that holds it, until that one ends', async () => {
  const release = await takeStartLock(folder)
  await expect(takeStartLock(folder)).rejects.toMatchObject({ code: 'already_running' })
  await expect(takeStartLock(folder)).rejects.toThrow(`process ${String(process.pid)}`)
  await release()
  await (
    await takeStartLock(folder)
  )()
})

test('the lock of a start that was killed is stale, and is taken', async () => {
  const script = `require('net').createServer().listen(${JSON.stringify(join(folder, 'start.lock'))}, () => console.log('held'))`
  const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  holder.kill('SIGKILL')
  await once(holder, 'close')
  await (
    await takeStartLock(folder)
  )()
})
