import { z } from 'zod'

/**
 * A whole number in a path, query or header, in plain decimal digits. Coercion would also take '', '0x10', '1e2' and
 * ' 5 ', which no other service, cache or log would take for the same number.
 */
export function integerParameter({ min, max }: { min: number; max: number }) {
  const allowed = `must be a whole number from ${String(min)} to ${String(max)}`
  return z
    .string()
    .transform((text, issues) => {
      const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
      if (value >= min && value <= max) return value
      issues.addIssue({ code: 'custom', message: allowed })
      return z.NEVER
    })
    .meta({ type: 'integer', minimum: min, maximum: max })
}
