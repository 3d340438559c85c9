import { parseArgs } from 'node:util'

export interface CaptureArguments {
  /** Write nothing; say whether a migration is missing. */
  readonly isCheck: boolean
  /** Migrations in Prisma's layout; undefined for those of the database package. */
  readonly folder: string | undefined
}

/** Arguments of the command `capture-main`. Throws an Error that names the one it does not know. */
export function readArguments(given: readonly string[]): CaptureArguments {
  const { values } = parseArgs({
    args: given.filter((argument) => argument !== '--'),
    options: { check: { type: 'boolean', default: false }, folder: { type: 'string' } },
  })
  return { isCheck: values.check, folder: values.folder }
}

/** What the command `doctor-main` needs from the environment. */
export function readDoctorConfig(env: NodeJS.ProcessEnv = process.env): { readonly url: string } {
  const url = env['DATABASE_URL']
  if (!url) throw new Error('DATABASE_URL is not set: give it as postgres://user:password@host:5432/name')
  return { url }
}
