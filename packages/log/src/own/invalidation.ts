import type { Change } from '../entry.js'

/** A change of data that somebody announces by its tags alone. */
export const invalidation = (
  tags: readonly string[],
  reason: string | undefined,
  wallMs: number,
): Change => ({
  resource: '-',
  key: null,
  operation: 'invalidate',
  tags: [...new Set(tags)],
  version: null,
  changedAt: Math.floor(wallMs),
  trace: null,
  reason: reason ?? null,
})
