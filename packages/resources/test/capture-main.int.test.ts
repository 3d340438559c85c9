import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { migrate, migrationsFolder } from '@tidemark/database'
import { emptyDatabase } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { runMain } from './run-main.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-capture-'))
  await cp(migrationsFolder, folder, { recursive: true })
})
afterAll(() => rm(folder, { recursive: true }))

const capture = (...given: string[]) => runMain('capture-main', [...given, '--folder', folder])

it('writes nothing while the migrations install what is declared', async () => {
  const before = await readdir(folder)
  const upToDate = { code: 0, output: 'capture: the migrations install what the 3 resources declare\n' }
  expect(await capture()).toEqual(upToDate)
  expect(await capture('--check')).toEqual(upToDate)
  expect(await readdir(folder)).toEqual(before)
})

it('a definition without its triggers: --check fails, the command writes them, and a database takes them', async () => {
  const file = join(folder, '20261123100200_capture/migration.sql')
  const sql = await readFile(file, 'utf8')
  await writeFile(file, sql.replace('"brandId": "brand_id", ', ''))

  const before = await readdir(folder)
  const checked = await capture('--check')
  expect(checked.code).toBe(1)
  expect(checked.output).toMatch(
    /^capture: product: \+ brandId\ncapture: a migration is missing; run "pnpm capture"/,
  )
  expect(await readdir(folder)).toEqual(before)

  const written = await capture()
  expect(written.code).toBe(0)
  const [made] = (await readdir(folder)).filter((name) => !before.includes(name))
  expect(made).toMatch(/^\d{14}_capture_product$/)
  expect(written.output).toContain(`${made}/migration.sql\n\n-- Written by "pnpm capture"`)
  expect((await capture('--check')).code).toBe(0)

  const { url, drop } = await emptyDatabase()
  try {
    await migrate(url, { folder })
    expect(await runMain('doctor-main', [], { DATABASE_URL: url })).toEqual({
      code: 0,
      output: 'doctor: the changes of all 3 resources are captured\n',
    })
  } finally {
    await drop()
  }
})

it('an argument that it does not know is one line, and nothing is written', async () => {
  const { code, output } = await capture('--chekc')
  expect(code).toBe(1)
  expect(output).toMatch(/^capture: Unknown option '--chekc'.*\n$/)
})
