import type { LagProbe } from '../replay/lag-probe.js'
import { percentile } from '../replay/percentile.js'
import { describe } from '../replay/report.js'
import type { Tally } from '../replay/tally.js'
import type { Writers } from '../replay/writers.js'
import type { Faults } from './faults.js'
import type { Subscribers } from './subscribers.js'
import type { ToldLedger } from './told-ledger.js'

export interface SoakFindings {
  readonly tally: Tally
  readonly writers: Writers
  readonly probe: LagProbe
  readonly ledger: ToldLedger
  readonly subscribers: Subscribers
  readonly faults: Faults
  readonly seconds: number
}

/** A fault is felt for so long after it is over: a follower has to reconnect and to show its lag anew. */
const aftermathMs = 5_000
const mostShown = 5

export const hasPassed = ({ tally, probe, ledger, subscribers }: SoakFindings): boolean =>
  tally.wrong.length === 0 &&
  probe.lost === 0 &&
  ledger.outstanding.length === 0 &&
  subscribers.resets === 0 &&
  tally.requests > 0 &&
  ledger.owed > 0

export function report(found: SoakFindings): string {
  const { tally, writers, probe, ledger, subscribers, faults, seconds } = found
  const rate = (count: number): string => `${count} (${Math.round(count / seconds)}/s)`
  const isQuiet = (atMs: number): boolean =>
    faults.spans.every(({ beganMs, overMs }) => atMs < beganMs || atMs > overMs + aftermathMs)
  const lags = (name: string, values: readonly number[]): string => {
    const sorted = [...values]
    const [p50, p99] = [percentile(sorted, 0.5), percentile(sorted, 0.99)]
    const max = sorted.at(-1) ?? NaN
    return `  ${name.padEnd(34)} p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${max.toFixed(0)} ms, of ${sorted.length}`
  }
  const untold = ledger.outstanding
  const verdict = hasPassed(found)
    ? 'PASSED: no wrong answer, no change untold'
    : `FAILED: ${tally.wrong.length} wrong answers, ${untold.length} changes untold, ${probe.lost} never shown, ${subscribers.resets} resets`
  return [
    '',
    `time       ${seconds.toFixed(0)} s`,
    `changes    ${rate(writers.done.service + writers.done.sql)}: ${writers.done.service} through the service, ${writers.done.sql} raw SQL, ${writers.failed} failed`,
    `reads      ${rate(tally.requests)}, ${tally.failed} failed${[...tally.refused].map(([status, count]) => `, ${count} × ${status}`).join('')}`,
    ...Object.entries(tally.byLevel).map(
      ([level, { answers, wrong }]) => `  ${level.padEnd(8)} ${answers} answers, ${wrong} wrong`,
    ),
    `by         ${[...tally.byLayer].map(([layer, count]) => `${layer} ${count}`).join(', ')}`,
    `told       ${ledger.owed} changes owed to each subscriber, ${ledger.told} told, ${untold.length} missing, ${subscribers.resets} resets`,
    `faults     ${[...faults.done].map(([name, count]) => `${name}: ${count}`).join('; ')}`,
    'lag',
    lags(
      'acknowledged to told, all',
      ledger.lags.map(({ lagMs }) => lagMs),
    ),
    lags(
      '  away from faults',
      ledger.lags.filter(({ atMs }) => isQuiet(atMs)).map(({ lagMs }) => lagMs),
    ),
    lags('acknowledged to read, raw SQL', probe.lagsMs.sql),
    lags('acknowledged to read, service', probe.lagsMs.service),
    '',
    ...tally.wrong.slice(0, mostShown).map(describe),
    ...untold
      .slice(0, mostShown)
      .map(
        (o) =>
          `UNTOLD: product ${o.productId} version ${o.version}, heard by ${o.heardBy.join(', ') || 'none'}`,
      ),
    verdict,
  ].join('\n')
}
