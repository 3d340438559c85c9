import type { L1 } from '../l1/l1.js'
import type { Advice, KindAdvice, KindNumbers } from './advice.js'
import type { Advisor } from './advisor.js'
import type { Kind } from './kinds.js'
import { isWorthCaching, sayOfKeys, sayOfKind, sayOfTag } from './words.js'

export interface ReportParts {
  readonly namespace: string
  readonly advisor: Advisor
  readonly l1: L1
  readonly nowMs: () => number
}

const maxTags = 10
const shortestMs = 1_000
const minuteMs = 60_000

/** What L1 holds of one kind, and what it has saved so far. */
interface Held {
  values: number
  bytes: number
  uses: number
  savedMs: number
}

/** Goes through all that L1 holds: for people, not for request paths. */
export function report(parts: ReportParts): Advice {
  const { namespace, advisor } = parts
  const nowMs = parts.nowMs()
  const held = heldByKind(parts, nowMs)
  const kinds = [...advisor.kinds.all]
    .map((kind) => adviceOf(kind, namespace, nowMs, held.get(kind)))
    .sort((a, b) => b.loads * b.meanLoadMs + b.spentMsPerMinute - a.loads * a.meanLoadMs - a.spentMsPerMinute)
  const tags = advisor.tags.all.slice(0, maxTags)
  const bypassedKeys = advisor.keys.size
  const sentences = [
    ...kinds.flatMap((kind) => kind.sentences),
    ...tags.map(sayOfTag),
    sayOfKeys(bypassedKeys),
  ].filter((sentence) => sentence !== undefined)
  return { namespace, kinds, tags, bypassedKeys, sentences }
}

function heldByKind({ advisor, l1 }: ReportParts, nowMs: number): Map<Kind, Held> {
  const byKind = new Map<Kind, Held>()
  for (const entry of l1.values?.() ?? []) {
    const kind = advisor.kinds.of(entry.policy)
    const held = byKind.get(kind) ?? { values: 0, bytes: 0, uses: 0, savedMs: 0 }
    byKind.set(kind, held)
    // Of what is older than the stretch that is reported: its share.
    const { overMs } = kind.tallies.sum(nowMs)
    const uses = advisor.usesOf(entry) * Math.min(1, overMs / Math.max(1, nowMs - entry.seenAtMs))
    held.values++
    held.bytes += entry.sizeBytes
    held.uses += uses
    held.savedMs += uses * entry.loadCostMs
  }
  return byKind
}

function adviceOf(kind: Kind, namespace: string, nowMs: number, held: Held | undefined): KindAdvice {
  const numbers = numbersOf(kind, nowMs, held)
  const name = kind.name === '' ? namespace : kind.name
  return { ...numbers, isWorthCaching: isWorthCaching(numbers), sentences: sayOfKind(name, numbers) }
}

function numbersOf(kind: Kind, nowMs: number, held: Held | undefined): KindNumbers {
  const { tally, overMs } = kind.tallies.sum(nowMs)
  const perMinute = minuteMs / Math.max(shortestMs, overMs)
  const { sinceMs } = kind.bypass
  return {
    kind: kind.name,
    overMs,
    loads: tally.loads,
    meanLoadMs: tally.loads === 0 ? 0 : tally.loadMs / tally.loads,
    bypassedLoads: tally.bypassed,
    stored: tally.stored,
    meanBytes: tally.stored === 0 ? 0 : tally.storedBytes / tally.stored,
    heldValues: held?.values ?? 0,
    heldBytes: held?.bytes ?? 0,
    ended: tally.ended,
    endedUnused: tally.endedUnused,
    sunkUnused: tally.sunkUnused,
    expired: tally.expired,
    evicted: tally.evicted,
    refilled: tally.refilled,
    uses: Math.round(tally.uses + (held?.uses ?? 0)),
    joined: tally.joined,
    unproven: tally.unproven,
    unprovenLagMs: tally.unprovenLagMs,
    maxLagMs: tally.unprovenMaxLagMs,
    savedMsPerMinute: (tally.savedMs + (held?.savedMs ?? 0)) * perMinute,
    spentMsPerMinute: (tally.encodeMs + tally.redisMs) * perMinute,
    bypassedForMs: sinceMs === undefined ? undefined : nowMs - sinceMs,
  }
}
