/**
 * Acts as a client for ever, and cheaply: now and then it reads what the origin holds of one key, then asks the cache for
 * the key at once and again some seconds later, and judges each answer against that one truth.
 *
 * An answer that shows an older state than the truth is *inconsistent* at its horizon. That may be lawful: a bounded answer may
 * trail by its promise. It is a *broken promise* when the answer was asked for later after the truth than the answer
 * itself says it can trail. Times are of this process alone, taken after the truth was read and before the answer is
 * asked for, so that neither can accuse an answer wrongly.
 *
 * Bounded: so many samples wait for their next look at one time, and so many findings are kept.
 */
import type { Clock } from '@tidemark/log'
import { systemClock } from '@tidemark/log'
import type { Verdict } from './judge.js'
import { isSame, judge } from './judge.js'
import { Tally } from './tally.js'
import type { HorizonCount } from './tally.js'
import type { Answer, AuditTarget, Truth } from './target.js'

interface Look {
  readonly horizonMs: number
  /** From the truth until the answer was asked for. */
  readonly afterMs: number
  readonly verdict: Verdict
  readonly isBroken: boolean
  readonly answer: Answer | undefined
}

/** A key of which at least one answer was inconsistent, with all its answers so far. */
export interface Finding {
  readonly key: string
  readonly foundAt: string
  readonly truth: Truth
  readonly looks: readonly Look[]
  readonly history: unknown
}

export interface AuditorOptions {
  readonly target: AuditTarget
  readonly samplesPerSecond: number
  readonly horizonsMs?: readonly number[]
  /** A broken promise, once for each sample. */
  readonly onBroken: (finding: Finding) => void
  readonly onError: (error: unknown) => void
  readonly clock?: Clock
  /** Samples that wait for their next look; more are skipped. */
  readonly openMax?: number
  readonly findingsMax?: number
}

export interface Auditor {
  readonly name: string
  readonly horizons: readonly HorizonCount[]
  /** Newest first. */
  readonly findings: readonly Finding[]
  /** Samples not taken, since too many were open or the target failed. */
  readonly skipped: number
  /** Takes one sample now, beside the pace. Resolves after its look at the first horizon. */
  sample(): Promise<void>
  stop(): Promise<void>
}

const defaultHorizonsMs = [0, 1_000, 5_000, 60_000] as const

interface Sample {
  readonly key: string
  readonly truth: Truth
  readonly foundAt: string
  readonly monoMs: number
  readonly looks: Look[]
  history: unknown
  isFound: boolean
  isAlarmed: boolean
}

export function createAuditor({
  target,
  samplesPerSecond,
  horizonsMs = defaultHorizonsMs,
  onBroken,
  onError,
  clock = systemClock,
  openMax = 1_000,
  findingsMax = 50,
}: AuditorOptions): Auditor {
  const tally = new Tally(horizonsMs)
  const findings: Sample[] = []
  const stopping = new AbortController()
  const { signal } = stopping
  const running = new Set<Promise<void>>()
  const waiting = new Set<() => void>()
  let open = 0
  let skipped = 0

  const sample = async (): Promise<void> => {
    if (open >= openMax) {
      skipped++
      return
    }
    open++
    let taken: Sample | undefined
    try {
      taken = await take()
    } catch (error) {
      skipped++
      if (!signal.aborted) onError(error)
    }
    if (taken === undefined) open--
    else await follow(taken, 0)
  }

  const take = async (): Promise<Sample | undefined> => {
    const key = await target.sample()
    if (key === undefined) return undefined
    const truth = await target.truth(key, signal)
    const { monoMs, wallMs } = clock.now()
    return {
      ...{ key, truth, monoMs, foundAt: new Date(wallMs).toISOString(), looks: [] },
      ...{ history: undefined, isFound: false, isAlarmed: false },
    }
  }

  /** Looks at this horizon, at once if it is due, and comes back for the next. */
  const follow = async (taken: Sample, index: number): Promise<void> => {
    const horizonMs = horizonsMs[index]
    if (horizonMs === undefined || signal.aborted) {
      open--
      return
    }
    const waitMs = taken.monoMs + horizonMs - clock.now().monoMs
    if (waitMs <= 0) {
      await lookAt(taken, horizonMs)
      await follow(taken, index + 1)
      return
    }
    const cancel = clock.after(waitMs, () => {
      waiting.delete(cancel)
      void tracked(lookAt(taken, horizonMs).then(() => follow(taken, index + 1)))
    })
    waiting.add(cancel)
  }

  const lookAt = async (taken: Sample, horizonMs: number): Promise<void> => {
    const { key, truth } = taken
    const afterMs = clock.now().monoMs - taken.monoMs
    let answer: Answer | undefined
    let verdict: Verdict = 'unanswered'
    try {
      answer = await target.answer(key, signal)
      if (answer.state !== undefined)
        verdict = isSame(truth.state, answer.state)
          ? 'consistent'
          : judge(truth.state, answer.state, await target.since(key, truth, answer.state, signal))
    } catch (error) {
      if (signal.aborted) return
      verdict = answer?.state === undefined ? 'unanswered' : 'inconclusive'
      onError(error)
    }
    const isWrong = verdict === 'inconsistent'
    const isBroken = isWrong && answer?.promisedMs !== undefined && afterMs > answer.promisedMs
    tally.count(horizonMs, verdict, isBroken)
    taken.looks.push({ horizonMs, afterMs, verdict, isBroken, answer })
    if (isWrong && !taken.isFound) {
      taken.isFound = true
      findings.unshift(taken)
      findings.splice(findingsMax)
      taken.history = await target.history?.(key, truth, signal).catch(() => undefined)
    }
    if (isBroken && !taken.isAlarmed) {
      taken.isAlarmed = true
      onBroken(findingOf(taken))
    }
  }

  const tracked = (work: Promise<void>): Promise<void> => {
    running.add(work)
    return work.finally(() => running.delete(work))
  }

  let cancelNext = (): void => undefined
  const pace = (): void => {
    if (samplesPerSecond <= 0) return
    cancelNext = clock.after(1_000 / samplesPerSecond, () => {
      void tracked(sample())
      pace()
    })
  }
  pace()

  return {
    name: target.name,
    get horizons() {
      return tally.rows
    },
    get findings() {
      return findings.map(findingOf)
    },
    get skipped() {
      return skipped
    },
    sample: () => tracked(sample()),
    async stop() {
      stopping.abort()
      cancelNext()
      for (const cancel of waiting) cancel()
      await Promise.allSettled([...running])
    },
  }
}

const findingOf = ({ key, truth, foundAt, looks, history }: Sample): Finding => ({
  ...{ key, truth, foundAt, history },
  looks: [...looks],
})
