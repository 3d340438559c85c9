/**
 * What readers are asked for most, told to whoever loads it again when it sinks. Nothing depends on it.
 *
 * Each reader writes one card of bounded size, over its last one; Redis' own clock dates the cards, and reading drops
 * those of readers that have gone silent. So Redis never holds more than a card for each reader.
 */

import type { Redis } from 'ioredis'

import { announceScript, rosterScript } from '../lua/roster.js'
import { runScript } from '../lua/script.js'
import { logKeys } from '../redis/log-keys.js'

export interface HotKey {
  readonly key: string
  /** What the value depends on. */
  readonly tags: readonly string[]
  /** Reads a second. */
  readonly heat: number
}

export interface HeatCard {
  /** The reader's. */
  readonly id: string
  /** Hottest first. */
  readonly keys: readonly HotKey[]
}

/** Bounds of a card; what is beyond them is left out. */
export const heatCardBounds = { keys: 200, keyLength: 1_024, tags: 32, tagLength: 600 } as const

/** A reader that has been silent for so long is taken for gone. */
const silenceMaxMs = 15_000

const fits = ({ key, tags }: HotKey): boolean =>
  key.length <= heatCardBounds.keyLength &&
  tags.length <= heatCardBounds.tags &&
  tags.every((tag) => tag.length <= heatCardBounds.tagLength)

/** Writes the card of reader `id`, which is unique for its process. Repeat it within ten seconds, changed or not. */
export async function tellHeat(redis: Redis, { id, keys }: HeatCard, prefix?: string): Promise<void> {
  const card = keys.filter(fits).slice(0, heatCardBounds.keys)
  const text = JSON.stringify({ id, keys: card.map(({ key, tags, heat }) => [key, tags, heat]) })
  await runScript(redis, announceScript, [logKeys(prefix).heat], [id, text, String(silenceMaxMs)])
}

/** The cards of all readers that told of themselves lately. */
export async function readHeat(redis: Redis, prefix?: string): Promise<HeatCard[]> {
  const reply = (await runScript(
    redis,
    rosterScript,
    [logKeys(prefix).heat],
    [String(silenceMaxMs)],
  )) as string[]
  return reply.flatMap((text, index) => (index % 2 === 0 ? parseCard(text) : []))
}

/** A card by another version of this file is no card. */
function parseCard(text: string): HeatCard[] {
  const { id, keys } = JSON.parse(text) as { id?: unknown; keys?: unknown }
  if (typeof id !== 'string' || !Array.isArray(keys)) return []
  return [{ id, keys: keys.flatMap(parseKey) }]
}

function parseKey(given: unknown): HotKey[] {
  if (!Array.isArray(given)) return []
  const [key, tags, heat] = given as unknown[]
  const isKey =
    typeof key === 'string' &&
    typeof heat === 'number' &&
    Array.isArray(tags) &&
    tags.every((tag) => typeof tag === 'string')
  return isKey ? [{ key, tags, heat }] : []
}
