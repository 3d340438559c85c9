/** Where the log is and what waits before it, asked of Postgres at most once in a while: status and metrics want the same. */

export interface LogState {
  readonly term: number
  readonly position: number
  /** Counted up to 100,000. */
  readonly outboxRows: number
  readonly oldestUnsequencedMs: number
  readonly keptPositions: number
}

type Query = (text: string) => Promise<{ rows: Record<string, unknown>[] }>

const freshForMs = 200

const text = `
  SELECT c.term, c.position::float8 AS position,
         (SELECT count(*)::int FROM (SELECT 1 FROM tidemark.waiting LIMIT 100000) o) AS "outboxRows",
         coalesce((SELECT extract(epoch FROM clock_timestamp() - o.changed_at) * 1000
                   FROM tidemark.waiting o ORDER BY o.id LIMIT 1), 0)::float8 AS "oldestUnsequencedMs",
         (c.position - coalesce((SELECT min(l.position) FROM tidemark.log l), c.position) + 1)::float8 AS "keptPositions"
  FROM tidemark.clock c`

/** Null: Postgres does not answer. */
export function createLogState(query: Query): () => Promise<LogState | null> {
  let asked: Promise<LogState | null> | undefined
  return () => {
    if (asked === undefined) {
      asked = query(text).then(
        ({ rows }) => rows[0] as unknown as LogState,
        () => null,
      )
      setTimeout(() => {
        asked = undefined
      }, freshForMs).unref()
    }
    return asked
  }
}
