import { ownPostgres } from '@tidemark/testkit'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migrate } from '../src/index.js'

let postgres: Awaited<ReturnType<typeof ownPostgres>>
beforeAll(async () => {
  postgres = await ownPostgres()
  await migrate(postgres.url)
})
afterAll(async () => postgres.remove())

async function term(): Promise<number> {
  const client = new Client({ connectionString: postgres.url })
  await client.connect()
  try {
    return (await client.query<{ term: number }>('SELECT term FROM tidemark.sequence()')).rows[0]!.term
  } finally {
    await client.end()
  }
}

it('a crash opens a new epoch, a clean restart does not', async () => {
  expect(await term()).toBe(1)
  await postgres.stop()
  await postgres.start()
  expect(await term()).toBe(1)
  await postgres.kill()
  await postgres.start()
  expect(await term()).toBe(2)
  expect(await term()).toBe(2)
})
