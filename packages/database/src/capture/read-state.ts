/** What a database has of capture, as its catalogues tell: every role may read them. */

/** `pool.query`, with nothing of a pool but that. */
export type CatalogueQuery = (text: string, values?: unknown[]) => Promise<{ rows: unknown[] }>

interface CaptureTrigger {
  readonly name: string
  /** `O` in ordinary sessions, `R` in replica mode, `A` always, `D` disabled: pg_trigger.tgenabled. */
  readonly enabled: string
  readonly arguments: readonly string[]
}

/** A watched table, one of its partitions, or a child of it. */
export interface CapturedPlace {
  readonly place: string
  readonly isPartitioned: boolean
  /** Whether it has columns that the trigger `tidemark_stamp` sets. */
  readonly hasVersion: boolean
  readonly hasUpdatedAt: boolean
  /** Whether `tidemark.watched` has it; undefined when this role may not read that. */
  readonly isWrittenDown: boolean | undefined
  readonly triggers: readonly CaptureTrigger[]
}

export interface CaptureState {
  /** Whether the log's migrations have run. */
  readonly hasLog: boolean
  /** Event triggers of ours, by name; the value as in `CaptureTrigger`. */
  readonly eventTriggers: ReadonlyMap<string, string>
  /** By table; the table itself first. Empty for a table that is not there. */
  readonly places: ReadonlyMap<string, readonly CapturedPlace[]>
}

interface PlaceRow {
  readonly table: string
  readonly place: string
  readonly oid: number
  readonly is_partitioned: boolean
  readonly has_version: boolean
  readonly has_updated_at: boolean
  readonly triggers: readonly { name: string; enabled: string; arguments: string }[]
}

const placesSql = `
  WITH RECURSIVE family ("table", id, depth) AS (
    SELECT t.name, to_regclass(quote_ident(t.name))::oid, 0 FROM unnest($1::text[]) t (name)
    UNION
    SELECT f."table", i.inhrelid, f.depth + 1 FROM family f JOIN pg_inherits i ON i.inhparent = f.id
  )
  SELECT f."table", c.oid::regclass::text AS place, c.oid::int8::float8 AS oid, c.relkind = 'p' AS is_partitioned,
         EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname = 'version'
                 AND a.atttypid IN ('int4'::regtype, 'int8'::regtype)) AS has_version,
         EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname = 'updated_at'
                 AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype)) AS has_updated_at,
         ARRAY(SELECT json_build_object('name', t.tgname, 'enabled', t.tgenabled, 'arguments', encode(t.tgargs, 'hex'))
               FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname LIKE 'tidemark\\_%' ORDER BY t.tgname) AS triggers
  FROM family f JOIN pg_class c ON c.oid = f.id
  ORDER BY f."table", f.depth, place`

/** At most 1,000 tables. Throws what the query throws. */
export async function readCaptureState(
  query: CatalogueQuery,
  tables: readonly string[],
): Promise<CaptureState> {
  const ask = async <Row>(text: string, values?: unknown[]): Promise<Row[]> =>
    (await query(text, values)).rows as Row[]
  // to_regclass() would need rights on the schema.
  const [log] = await ask<{ may_read: boolean }>(
    `SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS may_read
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'tidemark' AND c.relname = 'watched'`,
  )
  const mayRead = log?.may_read === true
  const events = await ask<{ name: string; enabled: string }>(
    `SELECT evtname AS name, evtenabled AS enabled FROM pg_event_trigger WHERE evtname LIKE 'tidemark\\_%'`,
  )
  const places = await ask<PlaceRow>(placesSql, [tables.slice(0, 1_000)])
  const known = mayRead
    ? await ask<{ oid: number }>('SELECT place::oid::int8::float8 AS oid FROM tidemark.watched')
    : []
  const writtenDown = mayRead ? new Set(known.map(({ oid }) => oid)) : undefined
  return {
    hasLog: log !== undefined,
    eventTriggers: new Map(events.map(({ name, enabled }) => [name, enabled])),
    places: new Map(
      tables.map((table) => [
        table,
        places
          .filter((row) => row.table === table)
          .map((row) => ({
            place: row.place,
            isPartitioned: row.is_partitioned,
            hasVersion: row.has_version,
            hasUpdatedAt: row.has_updated_at,
            isWrittenDown: writtenDown?.has(row.oid),
            triggers: row.triggers.map((trigger) => ({ ...trigger, arguments: split(trigger.arguments) })),
          })),
      ]),
    ),
  }
}

/** Arguments of a trigger: texts, each ended by a zero byte. */
const split = (hex: string): string[] => Buffer.from(hex, 'hex').toString('utf8').split('\0').slice(0, -1)
