import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { expect, it } from 'vitest'

import { catalogueDatabase } from './catalogue-database.js'

interface Ended {
  readonly code: number
  readonly output: string
}

const main = fileURLToPath(new URL('../src/seed-main.ts', import.meta.url))

function runSeed(environment: Record<string, string>): Promise<Ended> {
  const { DATABASE_URL: _, SEED_PRODUCTS: __, ...env } = process.env
  const command = ['--conditions=tidemark:source', '--import', 'tsx', main]
  return new Promise((resolve) => {
    const options = { env: { ...env, ...environment }, timeout: 50_000 }
    const child = execFile(process.execPath, command, options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr })
    })
  })
}

it('prints one line, and another when there is nothing to do', async () => {
  const { url, close } = await catalogueDatabase()
  try {
    const first = await runSeed({ DATABASE_URL: url })
    expect(first.output).toMatch(/^seed: 40 categories, 200 brands, 20000 products in \d+\.\d s\n$/)
    expect(first.code).toBe(0)
    const second = await runSeed({ DATABASE_URL: url })
    expect(second).toEqual({ code: 0, output: 'seed: the catalogue has rows already, nothing to do\n' })
  } finally {
    await close()
  }
})

it('names every mistake of its environment in one line, and fails', async () => {
  const { code, output } = await runSeed({ SEED_PRODUCTS: 'many' })
  expect(code).toBe(1)
  expect(output).toMatch(/^seed: DATABASE_URL is not set.*; SEED_PRODUCTS must be a whole number.*\n$/)
})

it('a database that is not there is one line, not a stack', async () => {
  const { code, output } = await runSeed({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' })
  expect(code).toBe(1)
  expect(output).toMatch(/^seed: .*ECONNREFUSED.*\n$/)
})
