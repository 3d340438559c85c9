import type { Cursor, Cursors, LiveFollower } from '@tidemark/log'
import type { Metrics } from '@tidemark/service'

/** Read when scraped, once for all three; a Postgres that is away gives no samples. */
export function cursorMetrics(metrics: Metrics, cursors: Cursors, tide: LiveFollower): void {
  let reading: Promise<readonly Cursor[]> | undefined
  const read = (value: (cursor: Cursor) => number) => async () => {
    reading ??= cursors
      .all()
      .catch(() => [])
      .finally(() => {
        reading = undefined
      })
    return (await reading).map((cursor) => ({ labels: { cursor: cursor.name }, value: value(cursor) }))
  }
  const labelNames = ['cursor']
  metrics.gauge({
    name: 'tidemark_cursor_position',
    help: 'The position up to which this consumer of the log has handled everything.',
    labelNames,
    read: read(({ position }) => position),
  })
  metrics.gauge({
    name: 'tidemark_cursor_behind',
    help: 'Positions that this consumer lacks, as far as this process knows the log.',
    labelNames,
    read: read(({ position }) => Math.max(0, tide.follower.applied - position)),
  })
  metrics.gauge({
    name: 'tidemark_cursor_held',
    help: '1: some process serves this cursor.',
    labelNames,
    read: read(({ isHeld }) => Number(isHeld)),
  })
}
