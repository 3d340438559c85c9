import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Migration {
  /** Folder name: `20261123100000_tide_log`. */
  readonly name: string
  readonly sql: string
  /** SHA-256 of the file, hex, as Prisma writes it. */
  readonly checksum: string
}

/** Prisma's layout, shipped with the package: the same path from `src/` and from `dist/`. */
export const migrationsFolder = fileURLToPath(new URL('../prisma/migrations/', import.meta.url))

/** `<folder>/<timestamp>_<name>/migration.sql`, in order of the names. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => {
      const bytes = await readFile(join(folder, name, 'migration.sql'))
      return { name, sql: bytes.toString('utf8'), checksum: createHash('sha256').update(bytes).digest('hex') }
    }),
  )
}
