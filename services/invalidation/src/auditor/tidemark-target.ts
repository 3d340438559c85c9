/**
 * Our own readers, audited against Postgres. The truth is read without the cache; what has happened since is read from the
 * log, after everything that the answer can show has been given a position.
 */
import type { Database } from '@tidemark/database'
import type { Change, FollowerCard, LogReader } from '@tidemark/log'
import type { Address, Registry } from '@tidemark/resources'
import { addressOf } from '@tidemark/resources'
import { entityTag, everything, formatToken } from '@tidemark/tide'
import type { Token } from '@tidemark/tide'
import type { Reader, ReaderAnswer } from '../reader/reader.js'
import { digestOf, nothing, numberAt } from './asked-state.js'
import type { KeySampler } from './key-sampler.js'
import type { Answer, AuditTarget, Since, State, Truth } from './target.js'
import { readTruth } from './truth-reader.js'

export interface TidemarkTargetOptions {
  readonly registry: Registry
  readonly database: Database
  readonly reader: Reader
  readonly log: LogReader
  /** Gives everything committed before the call a position, and tells the head. */
  readonly flush: () => Promise<Token>
  readonly sampler: KeySampler
  readonly followers: () => Promise<readonly FollowerCard[]>
}

interface OwnTruth extends Truth {
  readonly address: Address
  readonly at: Token
  /** What it depends on. */
  readonly tags: readonly string[]
}

/** Entries looked at between a truth and an answer. */
const entriesMax = 100
/** Of so many positions before the truth, a finding shows the last ones that touched the key, and all after it. */
const historyPositions = 10_000
const historyRead = 1_000
const historyShown = 20
const changesShown = 5
const told = ['age', 'cache-status', 'tidemark', 'tidemark-lag', 'etag', 'date']

export function tidemarkTarget(options: TidemarkTargetOptions): AuditTarget {
  const { registry, database, reader, log, flush, sampler, followers } = options
  return {
    name: 'read',
    async sample() {
      const key = await sampler.next()
      return key !== undefined && addressOf(registry, key) !== undefined ? key : undefined
    },
    async truth(key): Promise<OwnTruth> {
      const address = addressOf(registry, key)!
      await flush()
      const { at, state, tags } = await readTruth(database, address)
      return { address, at, state, tags: [...tags, everything], place: formatToken(at) }
    },
    async answer(key, signal) {
      const maxLagMs = addressOf(registry, key)!.view.cache.maxLagMs
      return answerOf(await reader.get(key, { purpose: 'audit', signal }), maxLagMs)
    },
    async since(_key, truth) {
      const own = truth as OwnTruth
      const head = await flush()
      return head.term === own.at.term ? changesAfter(log, own) : 'unknown'
    },
    async history(_key, truth) {
      const { at, tags } = truth as OwnTruth
      const from = Math.max(0, at.position - historyPositions)
      const touching = await log.touching(tags, from, historyRead)
      return {
        log: touching.slice(-historyShown).map(({ position, epoch, sequencedAt, changes }) => ({
          token: formatToken({ term: epoch.term, position }),
          at: new Date(sequencedAt).toISOString(),
          changes: touchedOf(changes, tags)
            .slice(0, changesShown)
            .map(({ resource, key, operation, version }) => ({ resource, key, operation, version })),
        })),
        followers: await followers().catch(() => null),
      }
    },
  }
}

async function changesAfter(log: LogReader, { address, at, tags }: OwnTruth): Promise<Since> {
  const touching = await log.touching(tags, at.position, entriesMax)
  // Looked up after the log was read, which is trimmed meanwhile.
  const { oldest } = await log.whereabouts(at.position)
  if (oldest === 0 || oldest > at.position + 1) return 'unknown'
  if (touching.length === 0) return 'untouched'
  if (address.kind === 'list' || touching.length === entriesMax) return 'unknown'
  const own = entityTag(address.view.resource.tagName, address.id)
  const isUpdate = touching.every(
    (entry) =>
      entry.changes.length > 0 &&
      touchedOf(entry.changes, tags).every(
        ({ operation, tags: touched }) => operation === 'update' && touched.includes(own),
      ),
  )
  return isUpdate ? 'updated' : 'unknown'
}

const touchedOf = (changes: readonly Change[], tags: readonly string[]): readonly Change[] =>
  changes.filter((change) => change.tags.some((tag) => tags.includes(tag)))

function answerOf({ status, headers, body }: ReaderAnswer, maxLagMs: number): Answer {
  const shown = Object.fromEntries(
    told.flatMap((name) => {
      const value = headers.get(name)
      return value === null ? [] : [[name, value]]
    }),
  )
  return { status, headers: shown, state: stateOf(status, body), promisedMs: promiseOf(headers, maxLagMs) }
}

function stateOf(status: number, body: Buffer): State | undefined {
  if (status === 404) return nothing
  if (status !== 200) return undefined
  return { isPresent: true, digest: digestOf(body), version: numberAt(body, '/version') }
}

/** Labelled as stale: it promises nothing. Without a bound of its own, it keeps that of its resource. */
function promiseOf(headers: Headers, maxLagMs: number): number | undefined {
  if (/\bdetail=stale\b/.test(headers.get('cache-status') ?? '')) return undefined
  const lag = Number(headers.get('tidemark-lag') ?? NaN)
  return Number.isFinite(lag) ? Math.min(lag, maxLagMs) : maxLagMs
}
