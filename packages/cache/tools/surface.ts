/**
 * What a stranger would install, looked at from outside. It fails where it is not as it should be:
 *
 * 1. Each package is packed as it would be published, and publint and attw (are the types wrong?) read the tarball.
 * 2. What is exported to the workspace is exported to the world, without the condition that leads to the sources.
 * 3. The API report of each entry point is as it stands in `api/`; `--renew` writes them.
 *
 * Nothing here needs the network. The packages must be built.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { problemsOfReport } from './api-report.js'
import { manifestOf, packageFolder, root } from './manifest.js'
import { problemsOfPacked } from './packed.js'

const published = ['packages/tide', 'packages/log', 'packages/cache']
const doesRenew = process.argv.includes('--renew')
const problems: string[] = []

if (!doesRenew) {
  const tarballs = await mkdtemp(join(tmpdir(), 'tidemark-surface-'))
  try {
    for (const folder of published) problems.push(...(await problemsOfPacked(join(root, folder), tarballs)))
  } finally {
    await rm(tarballs, { recursive: true })
  }
}

const { publishConfig } = await manifestOf(packageFolder)
for (const [entry, { types }] of Object.entries(publishConfig.exports)) {
  const name = entry === '.' ? 'cache' : entry.slice(2)
  problems.push(...(await problemsOfReport(name, types!, doesRenew)))
}

for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
