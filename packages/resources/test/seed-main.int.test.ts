import { expect, it } from 'vitest'

import { catalogueDatabase } from './catalogue-database.js'
import { runMain } from './run-main.js'

const runSeed = (environment: Record<string, string>) => runMain('seed-main', [], environment)

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
