import { randomInt } from 'node:crypto'

import type { Redis } from 'ioredis'

import type { Clock } from '../clock.js'
import { systemClock, within } from '../clock.js'
import { parseInteger } from '../entry.js'
import { asLogError, LogError } from '../errors.js'
import { appendScript } from '../lua/append.js'
import { askScript } from '../lua/ask.js'
import type { Sink, SinkAnswer, SinkRun } from '../ship/sink.js'
import { logKeys } from './log-keys.js'
import { openRedis } from './redis-connection.js'
import type { RedisEndpoint } from './redis-connection.js'
import { runScript } from '../lua/script.js'
import { encodeLink } from './stream-codec.js'

export interface RedisSinkOptions extends RedisEndpoint {
  readonly name?: string
  /** About how many entries the stream keeps, heartbeats included. */
  readonly maxEntries?: number
  /** About how many bytes of entries it keeps; the newest run is kept in any case. */
  readonly maxBytes?: number
  /** For each call, the connecting included. A call that misses it costs the connection. */
  readonly timeoutMs?: number
  readonly clock?: Clock
}

/** A generation or a mark: random, and exact as a double. */
const randomMark = (): number => randomInt(1, 2 ** 48 - 1)

/** The Redis stream as a sink, over one connection of its own. */
export function redisSink({
  name = 'redis',
  maxEntries = 50_000,
  maxBytes = 32 * 1024 * 1024,
  timeoutMs = 250,
  clock = systemClock,
  ...endpoint
}: RedisSinkOptions): Sink {
  const keys = logKeys(endpoint.prefix)
  let connection: Promise<Redis> | undefined
  let isClosed = false

  const connect = (): Promise<Redis> => {
    const opening = openRedis(endpoint, { clock, timeoutMs })
    const drop = (): void => {
      if (connection === opening) connection = undefined
    }
    opening.then((redis) => {
      redis.once('close', drop)
      if (isClosed) redis.disconnect()
    }, drop)
    return opening
  }

  const call = async <T>(doing: string, act: (redis: Redis) => Promise<T>): Promise<T> => {
    if (isClosed) throw new LogError('log.stopped', `${name}: the sink is closed`)
    const opening = (connection ??= connect())
    const late = (): LogError =>
      new LogError('log.sink-failed', `${name}: no answer to ${doing} within ${timeoutMs} ms`)
    try {
      return await within(clock, timeoutMs, opening.then(act), late)
    } catch (error) {
      opening.then((redis) => {
        redis.disconnect()
      }, drop)
      if (connection === opening) connection = undefined
      throw asLogError(error, 'log.sink-failed', `${name}: ${doing}`)
    }
  }

  return {
    name,
    count: () =>
      call('reading the ask counter', async (redis) => {
        const answer = await runScript(redis, askScript, [keys.ask], [String(randomMark()), '0'])
        const [generation, count] = answer as unknown[]
        return { generation: parseInteger(generation, 'generation'), count: parseInteger(count, 'count') }
      }),
    put: (run) =>
      call('shipping', async (redis) =>
        parseAnswer(
          await runScript(redis, appendScript, [keys.log, keys.ask], encodeRun(run, [maxEntries, maxBytes])),
        ),
      ),
    close() {
      isClosed = true
      connection?.then((redis) => {
        redis.disconnect()
      }, drop)
    },
  }
}

function encodeRun({ mode, after, entries, heartbeat }: SinkRun, bounds: readonly number[]): string[] {
  const end = after === undefined ? ['', ''] : [String(after.position), String(after.mark)]
  const beat =
    heartbeat === undefined
      ? ['', '', '', '', '']
      : [
          heartbeat.asked.generation,
          heartbeat.asked.count,
          heartbeat.position,
          heartbeat.epoch.term,
          heartbeat.epoch.nonce,
        ].map(String)
  return [mode, ...end, ...bounds.map(String), ...beat, ...entries.flatMap(encodeLink)]
}

function parseAnswer(answer: unknown): SinkAnswer {
  const [said, position, mark, term, nonce] = Array.isArray(answer) ? (answer as unknown[]) : []
  if (said !== 'shipped' && said !== 'elsewhere' && said !== 'damaged')
    throw new LogError('log.malformed', 'the sink gave an answer that is none of the append script')
  if (position === '') return { said, end: undefined }
  const end = {
    epoch: { term: parseInteger(term, 'term'), nonce: parseInteger(nonce, 'nonce') },
    link: { position: parseInteger(position, 'position'), mark: parseInteger(mark, 'mark') },
  }
  return { said, end }
}

/** The connection never opened: nothing to drop. */
function drop(): void {
  return
}
