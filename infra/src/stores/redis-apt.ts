import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

import { findCommand } from './redis-probes.js'
import { InfraError } from './store.js'
import type { Say } from './store.js'

const run = promisify(execFile)
const TIMEOUT_MS = 300_000
const POLICY = '/usr/sbin/policy-rc.d'

/**
 * Debian starts a service when it installs one; a policy of "not allowed" (exit code 101) is its way to say that only
 * the program is wanted. A policy that is there already is left alone.
 */
async function withoutStarting(install: () => Promise<unknown>): Promise<void> {
  const made = await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  )
  try {
    await install()
  } finally {
    if (made) await rm(POLICY, { force: true })
  }
}

/** Installs a package from the system's own and gives the path of its program. @throws Error with apt's last words */
export async function installWithApt(name: string): Promise<string> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const lock = ['-o', 'DPkg::Lock::Timeout=60']
  try {
    await run('apt-get', ['update', '-q', ...lock], { env, timeout: TIMEOUT_MS })
    const packages = ['install', '-q', '-y', '--no-install-recommends', ...lock, name]
    await withoutStarting(() => run('apt-get', packages, { env, timeout: TIMEOUT_MS }))
  } catch (cause) {
    const words =
      String((cause as { stderr?: string }).stderr ?? '')
        .trim()
        .split('\n')
        .at(-1) ?? ''
    throw new Error(`apt-get could not install ${name}: ${words}`, { cause })
  }
  const command = await findCommand(name)
  if (command) return command
  throw new Error(`apt-get installed ${name}, but it is not on the PATH`)
}

/** Installs redis-server from the system's packages and gives its path. @throws InfraError `no_redis` */
export async function installRedisWithApt(say: Say): Promise<string> {
  say('Redis: none found, so installing it: apt-get update && apt-get install redis-server')
  try {
    return await installWithApt('redis-server')
  } catch (cause) {
    throw new InfraError('no_redis', `${(cause as Error).message} (or set REDIS_URL)`, { cause })
  }
}
