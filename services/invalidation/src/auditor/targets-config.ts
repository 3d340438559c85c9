import { z } from 'zod'
import { httpTargetSchema } from './http-target.js'

const targetsMax = 16

/** `AUDIT_TARGETS`: a JSON list of caches of others (docs/auditor.md). */
export function auditTargets() {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text)
      } catch {
        context.addIssue({ code: 'custom', message: 'must be a JSON list of targets' })
        return z.NEVER
      }
    })
    .pipe(
      z
        .array(httpTargetSchema)
        .max(targetsMax)
        .refine((targets) => new Set(targets.map(({ name }) => name)).size === targets.length, {
          error: 'names a target twice',
        }),
    )
}

/** `AUDIT_HORIZONS`: `0,1000,5000,60000`, in milliseconds, rising. */
export function auditHorizons() {
  const allowed = 'must be 1 to 8 rising numbers of milliseconds up to 600000, such as 0,1000,5000,60000'
  return z
    .string({ error: allowed })
    .regex(/^\d{1,6}(,\d{1,6}){0,7}$/, allowed)
    .transform((text) => text.split(',').map(Number))
    .refine((list) => list.every((ms, i) => ms <= 600_000 && (i === 0 || ms > list[i - 1]!)), allowed)
}
