/** Each program in examples/ is run as it stands, on real Redis, and must print what it says. */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { ownRedis } from '@tidemark/testkit'
import type { OwnServer } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const runner = fileURLToPath(new URL('children/examples.ts', import.meta.url))
const folder = join(packageFolder, 'examples')
const names = (await readdir(folder)).filter((name) => name.endsWith('.ts'))

let redis: OwnServer
let printed: Record<string, string>

beforeAll(async () => {
  redis = await ownRedis()
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--import',
      'tsx',
      '--conditions',
      'tidemark:source',
      runner,
      ...names.map((name) => join(folder, name)),
    ],
    { cwd: packageFolder, env: { ...process.env, REDIS_URL: redis.url }, timeout: 90_000 },
  )
  printed = JSON.parse(stdout) as Record<string, string>
})
afterAll(() => redis.remove())

test.each(names)('example: %s', async (name) => {
  const file = join(folder, name)
  const says = [...(await readFile(file, 'utf8')).matchAll(/^\/\/ → (.*)$/gm)].map((line) => line[1]!)
  expect(says.length).toBeGreaterThan(0)
  expect(printed[file]).toBe(says.join('\n'))
})
