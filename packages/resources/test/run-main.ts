import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ended {
  readonly code: number
  readonly output: string
}

/** Runs a command of this package from its source, without what the tests' own environment says of stores. */
export function runMain(
  name: string,
  given: readonly string[] = [],
  environment: Record<string, string> = {},
): Promise<Ended> {
  const { DATABASE_URL: _, SEED_PRODUCTS: __, ...env } = process.env
  const main = fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url))
  const command = ['--conditions=tidemark:source', '--import', 'tsx', main, ...given]
  return new Promise((resolve) => {
    const options = { env: { ...env, ...environment }, timeout: 50_000 }
    const child = execFile(process.execPath, command, options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr })
    })
  })
}
