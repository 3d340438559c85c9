import type pg from 'pg'

/** A text that differs when any row of any table differs. */
export async function checksumOf(pool: pg.Pool): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  )
  const sums = tables.map(
    ({ name }) =>
      `SELECT '${name} ' || md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) AS sum FROM ${name} t`,
  )
  const { rows } = await pool.query<{ sum: string }>(sums.join(' UNION ALL '))
  return rows.map(({ sum }) => sum).join('\n')
}
