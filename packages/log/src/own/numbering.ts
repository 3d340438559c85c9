import type { Epoch, Link } from '@tidemark/tide'
import { everything } from '@tidemark/tide'
import type { Redis } from 'ioredis'

import type { Change } from '../entry.js'
import { parseEpoch, parseInteger } from '../entry.js'
import { LogError } from '../errors.js'
import { numberScript } from '../lua/number.js'
import { runScript } from '../lua/script.js'
import { randomMark } from '../random-mark.js'
import type { LogKeys } from '../redis/log-keys.js'
import { encodeBody } from '../redis/stream-codec.js'

/** What a caller follows; no epoch: nothing yet. */
interface Standing {
  readonly epoch: Epoch | undefined
  readonly link: Link
}

/** A link of the log, on the server that gave the answer. */
export interface Numbered {
  readonly epoch: Epoch
  readonly link: Link
  /** Of a link that this call wrote. */
  readonly previousMark: number | undefined
  /** Another one is another server, or another life of the same. */
  readonly server: string
}

export interface Numbering {
  /** Where the log ends. */
  head(redis: Redis, standing: Standing): Promise<Numbered>
  /** Gives the changes, together, the next position. */
  publish(
    redis: Redis,
    standing: Standing,
    tags: readonly string[],
    changes: readonly Change[],
  ): Promise<Numbered>
}

export interface NumberingOptions {
  readonly keys: LogKeys
  readonly maxEntries: number
  readonly maxBytes: number
  readonly wallMs: () => number
}

/** The log of a Redis that numbers it itself. Calls throw what ioredis threw, or LogError `log.malformed`. */
export function createNumbering({ keys, maxEntries, maxBytes, wallMs }: NumberingOptions): Numbering {
  const call = async (
    what: 'head' | 'publish',
    redis: Redis,
    { epoch, link }: Standing,
    body: readonly string[],
  ): Promise<Numbered> => {
    const follows = epoch && [epoch.term, epoch.nonce, link.position, link.mark]
    const answer = await runScript(
      redis,
      numberScript,
      [keys.log, keys.clock],
      [
        what,
        ...(follows?.map(String) ?? ['', '', '', '']),
        ...[randomMark(), randomMark()].map(String),
        ...encodeBody([everything], [epochChange(wallMs())]),
        ...[maxEntries, maxBytes].map(String),
        ...body,
      ],
    )
    return parseNumbered(answer)
  }
  return {
    head: (redis, standing) => call('head', redis, standing, []),
    publish: (redis, standing, tags, changes) =>
      call('publish', redis, standing, [String(randomMark()), ...encodeBody(tags, changes)]),
  }
}

const epochChange = (changedAt: number): Change => ({
  resource: '-',
  key: null,
  operation: 'epoch',
  tags: [],
  version: null,
  changedAt,
  trace: null,
  reason: null,
})

function parseNumbered(answer: unknown): Numbered {
  if (!Array.isArray(answer))
    throw new LogError('log.malformed', 'Redis gave an answer that is none of the number script')
  const [term, nonce, position, mark, previousMark, server] = answer as unknown[]
  return {
    epoch: parseEpoch({ term, nonce }),
    link: { position: parseInteger(position, 'position'), mark: parseInteger(mark, 'mark') },
    previousMark: previousMark === '' ? undefined : parseInteger(previousMark, 'previousMark'),
    server: String(server),
  }
}
