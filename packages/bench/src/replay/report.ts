/** What a replay found, for a person to read. */
import type { Tally } from './tally.js'
import type { Wrong } from './history.js'
import type { LagProbe } from './lag-probe.js'
import { percentile } from './percentile.js'
import type { Writers } from './writers.js'

const ms = (value: number): string => (Number.isNaN(value) ? '–' : `${value.toFixed(1)} ms`)
const share = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`
const mostWrongShown = 5

export function report(found: {
  tally: Tally
  writers: Writers
  probe: LagProbe
  seconds: number
  originReads: number | undefined
}): string {
  const { tally, writers, probe } = found
  const answers = [...tally.byLayer.values()].reduce((sum, count) => sum + count, 0)
  const written = writers.done.service + writers.done.sql
  const lines = [
    '',
    `requests      ${tally.requests} in ${found.seconds.toFixed(1)} s (${Math.round(tally.requests / found.seconds)}/s), ${tally.failed} failed${statuses(tally)}`,
    `writes        ${written} (${share(written, tally.requests)}): ${writers.done.service} through the service, ${writers.done.sql} raw SQL, ${writers.failed} failed`,
    `answered by   ${[...tally.byLayer].map(([layer, count]) => `${layer} ${share(count, answers)}`).join(', ')}`,
    ...(found.originReads === undefined ? [] : [`origin reads  ${found.originReads}`]),
    '',
    'level      answers      p50        p99        stale',
  ]
  for (const [name, level] of Object.entries(tally.byLevel)) {
    const [p50, p99] = [percentile(level.latenciesMs, 0.5), percentile(level.latenciesMs, 0.99)]
    lines.push(
      `${name.padEnd(10)} ${String(level.answers).padEnd(12)} ${ms(p50).padEnd(10)} ${ms(p99).padEnd(10)} ${level.wrong}`,
    )
  }
  lines.push('', 'commit to fresh, in plain bounded reads')
  for (const [writer, lags] of Object.entries(probe.lagsMs)) {
    const [p50, p99] = [percentile(lags, 0.5), percentile(lags, 0.99)]
    lines.push(`  ${writer.padEnd(8)} p50 ${ms(p50)}, p99 ${ms(p99)}, of ${lags.length} writes followed`)
  }
  const behind = tally.behindMs
  lines.push(
    `  never shown within 10 s: ${probe.lost}`,
    `  answers that missed a write already acknowledged, within their promise: ${behind.length - tally.wrong.length} (p99 ${ms(percentile(behind, 0.99))} behind)`,
    '',
    ...tally.wrong.slice(0, mostWrongShown).map(describe),
    verdict(tally, probe),
  )
  return lines.join('\n')
}

export const hasPassed = (tally: Tally, probe: LagProbe): boolean =>
  tally.wrong.length === 0 && probe.lost === 0 && tally.failed === 0

function verdict(tally: Tally, probe: LagProbe): string {
  if (tally.wrong.length > 0) return `FAILED: ${tally.wrong.length} stale answers`
  if (probe.lost > 0) return `FAILED: ${probe.lost} writes were never shown`
  if (tally.failed > 0) return `FAILED: ${tally.failed} requests had no answer`
  return 'PASSED: no stale answer at any level'
}

function statuses(tally: Tally): string {
  return [...tally.refused].map(([status, count]) => `, ${count} × ${status}`).join('')
}

export function describe({ observation: o, promise, expectedAtLeast, history }: Wrong): string {
  const at = (time: number | undefined): string =>
    time === undefined ? 'unknown' : `${(time - o.sentAt).toFixed(1)} ms`
  return [
    `WRONG (${promise}): product ${o.productId} at ${o.reader}, level ${o.level}: saw ${o.value}, expected at least ${expectedAtLeast}`,
    `  ${o.cacheStatus}; token sent ${o.tokenSent ?? 'none'}, received ${o.tokenReceived ?? 'none'}; answered after ${at(o.receivedAt)}`,
    '  its writes, relative to the request:',
    ...history
      .slice(-6)
      .map(
        (w) =>
          `    ${w.value} by ${w.writer}: begun ${at(w.begunAt)}, acknowledged ${at(w.acknowledgedAt)}, token ${w.token ?? 'none'}`,
      ),
    '',
  ].join('\n')
}
