// Generates the typed client into src/generated without a network. `prisma generate` would download the schema engine,
// which it never runs here: any existing file given as that engine ends the search.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const manifest = fileURLToPath(import.meta.resolve('prisma/package.json'))

const run = spawnSync(
  process.execPath,
  [
    join(dirname(manifest), 'build/index.js'),
    'generate',
    '--no-hints',
    '--schema',
    join(here, 'schema.prisma'),
  ],
  {
    cwd: dirname(here),
    encoding: 'utf8',
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
  },
)

if (run.status !== 0) {
  process.stderr.write(`${run.error?.message ?? ''}${run.stdout}${run.stderr}`)
  process.exit(1)
}
