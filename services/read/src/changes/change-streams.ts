import type { ServerResponse } from 'node:http'
import { passing } from '@tidemark/log'
import type { ChangeFeed, ChangeFilter, Tide } from '@tidemark/log'
import type { Logger } from '@tidemark/service'
import { Problem } from '@tidemark/service'
import type { Token } from '@tidemark/tide'
import type { Ending } from './change-stream.js'
import { runChangeStream } from './change-stream.js'
import { createOutlet } from './outlet.js'

export interface ChangeStreamsOptions {
  readonly feed: ChangeFeed
  readonly tide: Tide
  readonly logger: Logger
  readonly subscribersMax: number
  readonly heartbeatMs: number
  /** How long a subscriber may take nothing of what it was sent. */
  readonly slowMs: number
}

export interface ChangeStreams {
  /**
   * Answers with a stream that begins after `from`, or now. Resolves when it has ended.
   * @throws Problem `overloaded`, `unavailable`; LogError `log.unreachable`: before anything was sent
   */
  open(res: ServerResponse, from: Token | undefined, filter: ChangeFilter): Promise<void>
  /** Ends all streams at once, so that subscribers connect elsewhere; those that come later are refused. */
  stop(): void
  readonly subscribers: number
  readonly events: Readonly<Record<'change' | 'reset' | 'heartbeat', number>>
  /** `failed`: the log could not be read on; `stopped`: by `stop`; `refused`: never began. */
  readonly endings: Readonly<Record<Ending | 'failed' | 'stopped' | 'refused', number>>
}

const retryAfterSeconds = '5'

export function createChangeStreams(options: ChangeStreamsOptions): ChangeStreams {
  const { feed, tide, logger, subscribersMax, heartbeatMs, slowMs } = options
  const running = new Map<ServerResponse, AbortController>()
  const events = { change: 0, reset: 0, heartbeat: 0 }
  const endings = { closed: 0, slow: 0, failed: 0, stopped: 0, refused: 0 }
  let isStopped = false

  const refusal = (): Problem => {
    endings.refused++
    return new Problem('overloaded', {
      detail: isStopped
        ? 'This process is being stopped: connect to another.'
        : `There are ${subscribersMax} subscribers already: connect to another process, or later.`,
      headers: { 'Retry-After': isStopped ? '0' : retryAfterSeconds },
    })
  }
  const admit = (): void => {
    if (isStopped || running.size >= subscribersMax) throw refusal()
  }
  const begin = (from: Token | undefined): Token => {
    const place = from ?? tide.follower.token
    if (place !== undefined) return place
    throw new Problem('unavailable', {
      detail: 'No position of the change log is known yet: neither Redis nor Postgres answers.',
      headers: { 'Retry-After': '1' },
    })
  }

  const stream = async (
    res: ServerResponse,
    place: Token,
    filter: ChangeFilter,
    signal: AbortSignal,
  ): Promise<Ending> => {
    // Read before anything is sent: who cannot be told what it missed is answered with a problem.
    const first = await feed.after(place)
    if (isStopped) throw refusal()
    if (signal.aborted) return 'closed'
    res.writeHead(200, streamHeaders)
    return runChangeStream({
      ...{ feed, tide, place, first, heartbeatMs, signal },
      outlet: createOutlet(res, slowMs, signal),
      passes: passing(filter),
      onEvents: (kind, count) => {
        events[kind] += count
      },
    })
  }

  return {
    async open(res, from, filter) {
      admit()
      const place = begin(from)
      const ending = new AbortController()
      running.set(res, ending)
      const onClose = (): void => {
        ending.abort()
      }
      res.on('close', onClose)
      // A write to a connection that is gone is told here; `close` follows.
      res.on('error', onClose)
      try {
        const how = await stream(res, place, filter, ending.signal)
        endings[isStopped ? 'stopped' : how]++
        if (how === 'slow') logger.info('a subscriber of changes took nothing for too long: cut off')
        if (how === 'slow' || res.writableNeedDrain) res.destroy()
        else res.end()
      } catch (error) {
        if (!res.headersSent) throw error
        endings.failed++
        logger.warn({ err: error }, 'a stream of changes ended: the log cannot be read on')
        res.end()
      } finally {
        running.delete(res)
      }
    },
    stop() {
      isStopped = true
      for (const ending of running.values()) ending.abort()
    },
    get subscribers() {
      return running.size
    },
    events,
    endings,
  }
}

const streamHeaders = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // Compressing or buffering on the way would hold events back.
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
}
