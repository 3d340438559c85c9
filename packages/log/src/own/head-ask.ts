import type { Clock } from '../clock.js'
import { within } from '../clock.js'
import { LogError } from '../errors.js'
import type { ObservedFollower } from '../follow/observed-follower.js'
import { rejoin } from '../follow/stream-session.js'
import type { StreamAsk } from '../follow/stream-session.js'
import { linkId } from '../redis/stream-codec.js'
import type { HeadProofs } from './head-proofs.js'
import type { Numbering } from './numbering.js'

export interface HeadAskOptions {
  readonly numbering: Numbering
  readonly observed: ObservedFollower
  readonly proofs: HeadProofs
  readonly clock: Clock
  readonly timeoutMs: number
  /** Which server, in which of its lives, the stream is read from. */
  readonly onServer: (server: string) => void
}

/** Asks for the head; the proof comes once the stream has been read up to it. */
export function headAsk({
  numbering,
  observed,
  proofs,
  clock,
  timeoutMs,
  onServer,
}: HeadAskOptions): StreamAsk {
  const late = (): LogError =>
    new LogError('log.stream-failed', 'Redis did not say in time where its log ends')
  return async (redis, cursor, at) => {
    const asking = numbering.head(redis, observed.follower)
    const { epoch, link, server } = await within(clock, timeoutMs, asking, late)
    onServer(server)
    // Who starts reads the stream from its oldest entry: floors that others' values are judged by.
    const isAdrift = observed.follower.epoch === undefined
    const next = isAdrift ? linkId(0) : rejoin(observed, { id: linkId(link.position), epoch, link }, cursor)
    proofs.add(epoch, link, at)
    return next
  }
}
