/**
 * Where to go on, given where a sink ends.
 *
 *   sink ends                                         the log then
 *   nowhere                                           ships its newest positions as a new copy
 *   at a link that the log has                        ships what comes after it
 *   at an unknown link of a lower term                resets it: that history ended
 *   below the oldest position kept                    resets it: nobody can tell any more
 *   in a higher term                                  ships nothing and says so: this log is the old one
 *   in this term at a link that the log denies        has lost history unnoticed: a new epoch, then resets it
 *
 * The sink's end is older news than the log read here, so a position past this log's head is one that the log lost, not
 * one that it is still to get.
 */

import { isSameEpoch } from '@tidemark/tide'

import { LogError } from '../errors.js'
import type { LogReader, Whereabouts } from '../postgres/log-reader.js'
import type { SinkAnswer, SinkEnd, SinkRun } from './sink.js'

/** Positions read and shipped in one run. */
export const runLength = 64

/** Positions that a rebuilt copy begins with: followers that had applied one of them go on, others rebase. */
const rebuildLength = 1_000

export async function resume(log: LogReader, { said, end }: SinkAnswer): Promise<SinkRun> {
  if (end === undefined) return rebuild(log, end)
  const there = await log.whereabouts(end.link.position)
  switch (judge(there, end)) {
    case 'ahead':
      throw new LogError('log.sink-ahead', aheadMessage(there, end))
    case 'denied':
      await log.newEpoch(there.epoch, end.epoch.term)
      return rebuild(log, end)
    case 'unknown':
      return rebuild(log, end)
    case 'known':
      if (said === 'damaged') return rebuild(log, end)
      return { mode: 'append', after: end.link, entries: await log.from(end.link.position + 1, runLength) }
  }
}

function judge(there: Whereabouts, { epoch, link }: SinkEnd): 'ahead' | 'denied' | 'unknown' | 'known' {
  if (epoch.term > there.epoch.term) return 'ahead'
  if (there.markThere === link.mark) return 'known'
  if (epoch.term < there.epoch.term) return 'unknown'
  if (isSameEpoch(epoch, there.epoch) && link.position < there.oldest) return 'unknown'
  return 'denied'
}

async function rebuild(log: LogReader, end: SinkEnd | undefined): Promise<SinkRun> {
  return { mode: 'reset', after: end?.link, entries: await log.newest(rebuildLength, runLength) }
}

const aheadMessage = (there: Whereabouts, end: SinkEnd): string =>
  `the sink is in term ${end.epoch.term}, this log only in term ${there.epoch.term}: it is a deposed primary or an old ` +
  `backup, and nothing is shipped. Point this process at the present primary; if this log is the one to keep, run ` +
  `SELECT tidemark.new_epoch(${end.epoch.term})`
