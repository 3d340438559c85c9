/**
 * Who follows the log, for operators. Each follower writes a card about itself now and then; nothing depends on it.
 *
 * The cards of all followers are one hash. Redis' own clock dates them, and reading drops those that have gone silent,
 * so a crashed process leaves no trace for long and no two machines' clocks are compared.
 */

import type { Redis } from 'ioredis'

import { announceScript, rosterScript } from '../lua/roster.js'
import { runScript } from '../lua/script.js'
import { logKeys } from '../redis/log-keys.js'
import type { LiveFollower } from './tide.js'

/** What a follower says of itself. `lagMs` null: it can show no bound. */
export interface FollowerCard {
  readonly id: string
  readonly service: string
  readonly term: number
  readonly position: number
  readonly mode: string
  readonly lagMs: number | null
  /** Since it last said so. */
  readonly seenMsAgo: number
}

/** A follower that has been silent for so long is taken for gone. */
const silenceMaxMs = 10_000

/** Tells of `tide` under `id`, which is unique for its process. */
export async function announce(
  redis: Redis,
  tide: LiveFollower,
  { id, service, prefix }: { id: string; service: string; prefix?: string },
): Promise<void> {
  const { epoch, applied, mode, lagMs } = tide.status()
  const card = JSON.stringify({
    id,
    service,
    term: epoch?.term ?? 0,
    position: applied,
    mode,
    lagMs: Number.isFinite(lagMs) ? Math.ceil(lagMs) : null,
  })
  await runScript(redis, announceScript, [logKeys(prefix).followers], [id, card, String(silenceMaxMs)])
}

/** The followers that told of themselves in the last ten seconds. */
export async function readRoster(redis: Redis, prefix?: string): Promise<FollowerCard[]> {
  const reply = (await runScript(
    redis,
    rosterScript,
    [logKeys(prefix).followers],
    [String(silenceMaxMs)],
  )) as string[]
  const cards: FollowerCard[] = []
  for (let i = 0; i < reply.length; i += 2)
    cards.push({
      ...(JSON.parse(reply[i]!) as Omit<FollowerCard, 'seenMsAgo'>),
      seenMsAgo: Number(reply[i + 1]),
    })
  return cards.sort((a, b) => (a.id < b.id ? -1 : 1))
}
