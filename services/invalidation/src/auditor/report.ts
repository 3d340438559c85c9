/** What `GET /v1/audit` tells. No values: digests and versions say whether two are the same, and a report may be read by many. */
import { z } from 'zod'
import type { Auditor, Finding } from './auditor.js'
import { verdicts } from './judge.js'
import { shareOf } from './tally.js'

const counts = z.object(
  Object.fromEntries(verdicts.map((verdict) => [verdict, z.int()])) as Record<
    (typeof verdicts)[number],
    z.ZodInt
  >,
)
const state = z.object({ isPresent: z.boolean(), digest: z.string(), version: z.number().nullable() })

export const auditSchema = z.object({
  targets: z
    .array(
      z.object({
        name: z.string(),
        skipped: z.int().describe('Samples not taken: too many were open, or the origin did not answer.'),
        horizons: z.array(
          z.object({
            horizonMs: z.number(),
            samples: z.int(),
            ...counts.shape,
            share: z
              .number()
              .nullable()
              .describe('Inconsistent ones among those known to be either; null: none are.'),
            brokenPromises: z
              .int()
              .describe('Inconsistent ones that trailed by more than the answer itself allowed.'),
          }),
        ),
        findings: z
          .array(
            z.object({
              key: z.string(),
              foundAt: z.string(),
              truth: state.extend({ place: z.string().describe('Where it was read: a token.') }),
              answers: z.array(
                z.object({
                  horizonMs: z.number(),
                  afterMs: z.number().describe('From the truth until the answer was asked for.'),
                  verdict: z.enum(verdicts),
                  isBrokenPromise: z.boolean(),
                  status: z.int().nullable(),
                  state: state.nullable(),
                  promisedMs: z.number().nullable(),
                  headers: z.record(z.string(), z.string()),
                }),
              ),
              history: z.unknown().describe('What touched the key, and where readers stood.'),
            }),
          )
          .describe('Keys with an inconsistent answer, newest first; so many of them.'),
      }),
    )
    .describe('Empty: nothing is audited.'),
})

export type AuditReport = z.output<typeof auditSchema>

export const reportOf = (auditors: readonly Auditor[]): AuditReport => ({
  targets: auditors.map(({ name, skipped, horizons, findings }) => ({
    name,
    skipped,
    horizons: horizons.map((row) => ({
      horizonMs: row.horizonMs,
      samples: Object.values(row.counts).reduce((sum, count) => sum + count, 0),
      ...row.counts,
      share: shareOf(row),
      brokenPromises: row.broken,
    })),
    findings: findings.map(told),
  })),
})

export const told = ({ key, foundAt, truth, looks, history }: Finding) => ({
  key,
  foundAt,
  truth: { ...shown(truth.state), place: truth.place },
  answers: looks.map(({ horizonMs, afterMs, verdict, isBroken, answer }) => ({
    horizonMs,
    afterMs: Math.round(afterMs * 10) / 10,
    verdict,
    isBrokenPromise: isBroken,
    status: answer?.status ?? null,
    state: answer?.state === undefined ? null : shown(answer.state),
    promisedMs: answer?.promisedMs ?? null,
    headers: { ...answer?.headers },
  })),
  history: history ?? null,
})

const shown = ({ isPresent, digest, version }: Finding['truth']['state']) => ({
  isPresent,
  digest,
  version: version ?? null,
})
