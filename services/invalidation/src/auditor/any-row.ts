import type { Database } from '@tidemark/database'
import { columnOf, tableOf } from '@tidemark/database'
import type { Resource } from '@tidemark/resources'

/** The id of some row, by one look at the primary key's index: the first one from a point drawn by chance. */
export async function anyRowId(database: Database, resource: Resource): Promise<string | undefined> {
  const [table, id] = [quoted(tableOf(resource.model)), quoted(columnOf(resource.key.name))]
  const from =
    resource.key.kind === 'uuid'
      ? 'gen_random_uuid()'
      : `(SELECT floor(random() * (max(${id}) - min(${id}) + 1))::bigint + min(${id}) FROM ${table})`
  const { rows } = await database.pool.query<{ id: string }>(
    `SELECT ${id}::text AS id FROM ${table} WHERE ${id} >= ${from} ORDER BY ${id} LIMIT 1`,
  )
  return rows[0]?.id
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
