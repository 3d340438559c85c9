import { createDatabase, migrate } from '@tidemark/database'
import type { Database } from '@tidemark/database'
import { emptyDatabase } from '@tidemark/testkit'

export interface CatalogueDatabase {
  readonly url: string
  readonly database: Database
  close(): Promise<void>
}

/** A migrated database of its own, without rows. */
export async function catalogueDatabase(): Promise<CatalogueDatabase> {
  const empty = await emptyDatabase()
  await migrate(empty.url)
  const database = createDatabase({ url: empty.url, name: 'resources-test' })
  return {
    url: empty.url,
    database,
    async close() {
      await database.close()
      await empty.drop()
    },
  }
}
