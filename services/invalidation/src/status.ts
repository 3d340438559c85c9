/** What an operator asks first: where is the log, who is how far, and what is stuck. */
import type { Flush, FollowerCard, LiveFollower } from '@tidemark/log'
import { z } from 'zod'
import type { LogState } from './log-state.js'

const place = z.object({ term: z.int(), position: z.int() })
const milliseconds = z.number().nullable().describe('Milliseconds; null: no bound can be shown.')

export const statusSchema = z.object({
  log: z
    .object({
      ...place.shape,
      outboxRows: z.int().describe('Committed and not sequenced; counted up to 100,000.'),
      oldestUnsequencedMs: z.number(),
      keptPositions: z.int(),
    })
    .nullable()
    .describe('Null: Postgres does not answer.'),
  sinks: z.array(
    z.object({
      name: z.string(),
      end: place.nullable().describe('Where its copy of the log ended when it last answered.'),
      behind: z.int().nullable().describe('Positions that it lacks.'),
      shipments: z.int(),
      failures: z.int(),
      lastError: z.string().nullable(),
    }),
  ),
  follower: z
    .object({ ...place.shape, mode: z.string(), lagMs: milliseconds })
    .describe('This process itself.'),
  followers: z
    .array(
      z.object({
        id: z.string(),
        service: z.string(),
        ...place.shape,
        mode: z.string(),
        lagMs: milliseconds,
        behind: z.int().nullable(),
        seenMsAgo: z.number(),
      }),
    )
    .nullable()
    .describe(
      'Reader processes that told of themselves in the last ten seconds. Null: Redis does not answer.',
    ),
})

export type Status = z.output<typeof statusSchema>

export interface StatusOptions {
  readonly logState: () => Promise<LogState | null>
  readonly flush: Flush
  readonly tide: LiveFollower
  readonly followers: () => Promise<readonly FollowerCard[]>
}

export async function readStatus({ logState, flush, tide, followers }: StatusOptions): Promise<Status> {
  const [log, cards] = await Promise.all([logState(), followers().catch(() => null)])
  const behind = (place: { term: number; position: number } | null): number | null =>
    log === null || place?.term !== log.term ? null : Math.max(0, log.position - place.position)
  const own = tide.status()
  return {
    log,
    sinks: flush.status().map(({ sink, end, shipments, failures, lastError }) => {
      const at = end === undefined ? null : { term: end.epoch.term, position: end.link.position }
      return {
        name: sink,
        end: at,
        behind: behind(at),
        shipments,
        failures,
        lastError: lastError?.message ?? null,
      }
    }),
    follower: {
      term: own.epoch?.term ?? 0,
      position: own.applied,
      mode: own.mode,
      lagMs: finiteOrNull(own.lagMs),
    },
    followers:
      cards?.map((card) => ({ ...card, lagMs: finiteOrNull(card.lagMs), behind: behind(card) })) ?? null,
  }
}

const finiteOrNull = (ms: number | null): number | null => (ms !== null && Number.isFinite(ms) ? ms : null)
