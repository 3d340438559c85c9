import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * A copy of the work tree in which rules can be taken away: the files that git knows or would, the generated client, and
 * the links between the rooms; what was installed is shared.
 */
export async function copyTree(root: string): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-prove-'))
  const { stdout } = await run('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  })
  const files = stdout.split('\0').filter((file) => file !== '')
  const copy = async (path: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await cp(join(root, path), join(folder, path), { recursive: true, verbatimSymlinks: true })
  }
  for (const file of files) await copy(file).catch(ignoreMissing)
  await copy('packages/database/src/generated')
  const rooms = new Set(
    files.flatMap((file) => /^(?:packages|services)\/[^/]+|^infra(?=\/)/.exec(file) ?? []),
  )
  for (const room of rooms) await copy(join(room, 'node_modules')).catch(ignoreMissing)
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** A file deleted in the work tree and still in the index, or a room without dependencies. */
function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
