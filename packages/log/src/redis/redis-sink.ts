import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import { parseInteger } from '../entry.js'
import { LogError } from '../errors.js'
import { appendScript } from '../lua/append.js'
import { askScript } from '../lua/ask.js'
import type { Sink, SinkAnswer, SinkRun } from '../ship/sink.js'
import { createCallConnection } from './call-connection.js'
import { logKeys } from './log-keys.js'
import type { RedisEndpoint } from './redis-address.js'
import { randomMark } from '../random-mark.js'
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
  const connection = createCallConnection({ name, endpoint, failure: 'log.sink-failed', clock, timeoutMs })

  return {
    name,
    count: () =>
      connection.call('reading the ask counter', async (redis) => {
        const answer = await runScript(redis, askScript, [keys.ask], [String(randomMark()), '0'])
        const [generation, count] = answer as unknown[]
        return { generation: parseInteger(generation, 'generation'), count: parseInteger(count, 'count') }
      }),
    put: (run) =>
      connection.call('shipping', async (redis) =>
        parseAnswer(
          await runScript(redis, appendScript, [keys.log, keys.ask], encodeRun(run, [maxEntries, maxBytes])),
        ),
      ),
    close() {
      connection.close()
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
