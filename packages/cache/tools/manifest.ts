import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

type Exports = Record<string, Record<string, string>>

export interface Manifest {
  readonly name: string
  readonly exports: Exports
  readonly publishConfig: { readonly exports: Exports }
}

/** Of this package, and of the workspace. */
export const packageFolder = fileURLToPath(new URL('..', import.meta.url))
export const root = join(packageFolder, '../..')

export const manifestOf = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest
