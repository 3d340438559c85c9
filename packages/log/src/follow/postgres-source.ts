/**
 * Follows the log itself, in Postgres, the primary: the positions are the same as the stream's.
 *
 * A pull notes the time s, sequences, reads what comes after the follower's link and applies it. The head that
 * `sequence()` gave covers everything committed before s, so a follower that then stands at or past it is proven at s.
 *
 * It proves only after it has found the follower's own link in the log: a log that was restored without anybody noticing
 * is shorter than the follower, or bears another mark there. Then positions stand for two histories, nothing read before
 * can be trusted, and a new epoch is the only way on. What the log has trimmed cannot be checked; the follower rebases.
 *
 * A head asked for alone passes the same judgement: given out as "everything committed before now", one of a deposed
 * primary or of another history would make a strict answer old and a session token void. Whatever that judgement cannot
 * see, a head past the follower in a log whose marks differ below, is seen by the pull that has to reach it.
 */

import type { Epoch, Follower, Instant, Link, Token } from '@tidemark/tide'
import { isSameEpoch, isSameLink } from '@tidemark/tide'

import type { Clock } from '../clock.js'
import { LogError } from '../errors.js'
import { joinRuns } from '../join-runs.js'
import type { LogReader } from '../postgres/log-reader.js'
import type { Sequenced, Sequencer } from '../postgres/sequencer.js'
import type { ObservedFollower } from './observed-follower.js'

export interface PostgresSource {
  /**
   * Brings the follower to a head that covers everything committed before the call, and proves it. Concurrent calls
   * share runs. Gives that head.
   * @throws LogError `log.unreachable`, `log.backlog`, `log.behind`, `log.forked`
   */
  pull(): Promise<Token>
  /**
   * Only the head; applies and proves what costs no further query. Concurrent calls share runs.
   * @throws LogError as `pull` does
   */
  head(): Promise<Token>
  readonly pulls: number
}

export interface PostgresSourceOptions {
  readonly observed: ObservedFollower
  readonly sequencer: Sequencer
  readonly log: LogReader
  readonly clock: Clock
}

const pageLength = 128

/** A follower further behind goes to the head at once and knows nothing, which costs less than reading the way there. */
const maxCatchUp = 20_000

export function createPostgresSource({
  observed,
  sequencer,
  log,
  clock,
}: PostgresSourceOptions): PostgresSource {
  const { follower } = observed
  let pulls = 0

  /** What the log says of the follower as it was before `head` was sequenced; the follower has moved there where it says `new`. */
  const judge = async (before: Standing, head: Sequenced): Promise<'new' | 'same'> => {
    const { epoch } = follower
    if (epoch !== undefined && head.epoch.term < epoch.term) throw behind(head.epoch, epoch)
    if (before.epoch === undefined || head.epoch.term > before.epoch.term) {
      observed.jump(head.epoch, head.link)
      return 'new'
    }
    if (denies(head, before.epoch, before.link)) await mend(head.epoch, before.epoch.term)
    return 'same'
  }

  const mend = async (epoch: Epoch, aboveTerm: number): Promise<never> => {
    const head = await log.newEpoch(epoch, aboveTerm)
    if (head !== undefined) observed.jump(head.epoch, head.link)
    throw new LogError(
      'log.forked',
      'the log denies the position that this follower had applied: history was lost unnoticed, a new epoch begins',
    )
  }

  const catchUp = async (before: Link, head: Sequenced): Promise<boolean> => {
    takeMade(observed, head)
    if (isSameLink(follower.link, head.link)) return true
    if (head.link.position - before.position > maxCatchUp) {
      observed.jump(head.epoch, head.link)
      return true
    }
    for (let next = before.position; next <= head.link.position;) {
      const page = await log.from(next, pageLength)
      for (const entry of page) {
        if (entry.position === before.position && entry.mark !== before.mark) return false
        observed.apply(entry)
        next = entry.position + 1
      }
      if (page.length < pageLength) break
    }
    return true
  }

  return {
    pull: joinRuns(async () => {
      pulls++
      const at = clock.now()
      const before = standing(follower)
      const head = await sequencer.sequence()
      if ((await judge(before, head)) === 'same' && !(await catchUp(before.link, head)))
        await mend(head.epoch, head.epoch.term)
      observed.prove(head.epoch, head.link, at)
      return head.token
    }),
    head: joinRuns(async () => {
      const at = clock.now()
      const before = standing(follower)
      const head = await sequencer.sequence()
      if ((await judge(before, head)) === 'same') takeMade(observed, head)
      proveHere(observed, head, at)
      return head.token
    }),
    get pulls() {
      return pulls
    },
  }
}

interface Standing {
  readonly epoch: Epoch | undefined
  readonly link: Link
}

/** Noted before the log is sequenced: the stream may take the follower past that head meanwhile. */
const standing = ({ epoch, link }: Follower): Standing => ({ epoch, link })

/** Applies what `sequence()` itself made, if that continues the follower. */
function takeMade(observed: ObservedFollower, { entries }: Sequenced): void {
  const [first] = entries
  const { link } = observed.follower
  if (first === undefined || first.position !== link.position + 1 || first.previousMark !== link.mark) return
  for (const entry of entries) observed.apply(entry)
}

function proveHere(observed: ObservedFollower, { epoch, link }: Sequenced, at: Instant): void {
  if (isSameLink(observed.follower.link, link)) observed.prove(epoch, link, at)
}

function denies({ epoch, link }: Sequenced, ownEpoch: Epoch, own: Link): boolean {
  if (!isSameEpoch(epoch, ownEpoch) || link.position < own.position) return true
  return link.position === own.position && link.mark !== own.mark
}

const behind = (log: Epoch, own: Epoch): LogError =>
  new LogError(
    'log.behind',
    `this Postgres is in term ${log.term}, the follower in term ${own.term}: it is a deposed primary or an old backup. ` +
      `Point this process at the present primary`,
  )
