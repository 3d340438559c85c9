import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

import { dockerAnswers } from './docker.js'
import type { RedisProbes } from './redis-choice.js'

/** Looks a command up in `path` as a shell would. */
export async function findCommand(
  name: string,
  path = process.env['PATH'] ?? '',
): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const file = join(folder, name)
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file
  }
  return undefined
}

async function mayUseApt(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release) && (await findCommand('apt-get')) !== undefined
}

/** The probes of this machine. */
export function systemProbes(url: string | undefined): RedisProbes {
  return { url, findCommand: (name) => findCommand(name), dockerAnswers, mayUseApt }
}
