import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, promisify } from 'node:util'

import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

import { manifestOf, root } from './manifest.js'

const run = promisify(execFile)
const pnpm = join(root, 'node_modules/pnpm/bin/pnpm.cjs')
const attw = fileURLToPath(
  new URL('dist/index.js', import.meta.resolve('@arethetypeswrong/cli/package.json')),
)

/** Packs the package in `folder` as it would be published, into `tarballs`, and gives what is wrong with it. */
export async function problemsOfPacked(folder: string, tarballs: string): Promise<string[]> {
  const { name, exports, publishConfig } = await manifestOf(folder)
  const problems: string[] = []
  const toTheWorld = Object.fromEntries(
    Object.entries(exports).map(([entry, { 'tidemark:source': _source, ...rest }]) => [entry, rest]),
  )
  if (!isDeepStrictEqual(publishConfig.exports, toTheWorld))
    problems.push(`${name}: publishConfig.exports is not exports without tidemark:source`)

  const tarball = join(tarballs, `${name.replace(/\W/g, '-')}.tgz`)
  await run(process.execPath, [pnpm, 'pack', '--out', tarball], { cwd: folder })
  const { buffer, byteOffset, byteLength } = await readFile(tarball)
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength)
  const { messages, pkg } = await publint({ pack: { tarball: bytes }, strict: true })
  for (const message of messages)
    problems.push(`${name}: publint: ${formatMessage(message, pkg) ?? message.code}`)

  const options = ['--profile', 'esm-only', '--no-definitely-typed', '--no-color']
  await run(process.execPath, [attw, tarball, ...options]).catch((error: { stdout: string }) =>
    problems.push(`${name}: attw: ${error.stdout}`),
  )
  return problems
}
