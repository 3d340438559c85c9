import type { Metrics } from '@tidemark/service'
import type { Auditor } from './auditor.js'
import { verdicts } from './judge.js'

/** Counters that are kept anyway, read when scraped. */
export function auditMetrics(metrics: Metrics, auditors: readonly Auditor[]): void {
  metrics.counter({
    name: 'tidemark_audit_samples_total',
    help: 'Answers compared with the origin, by the seconds after which they were asked for.',
    labelNames: ['target', 'horizon', 'result'],
    read: () =>
      auditors.flatMap(({ name, horizons }) =>
        horizons.flatMap(({ horizonMs, counts }) =>
          verdicts.map((result) => ({
            labels: { target: name, horizon: String(horizonMs / 1_000), result },
            value: counts[result],
          })),
        ),
      ),
  })
  metrics.counter({
    name: 'tidemark_audit_broken_promises_total',
    help: 'Answers older than they themselves allowed: each is an alarm.',
    labelNames: ['target'],
    read: () =>
      auditors.map(({ name, horizons }) => ({
        labels: { target: name },
        value: horizons.reduce((sum, { broken }) => sum + broken, 0),
      })),
  })
  metrics.counter({
    name: 'tidemark_audit_skipped_total',
    help: 'Samples not taken: too many were open, or the origin did not answer.',
    labelNames: ['target'],
    read: () => auditors.map(({ name, skipped }) => ({ labels: { target: name }, value: skipped })),
  })
}
