/** Numbers as people read them. */

export const share = (part: number, whole: number): string => `${Math.round((100 * part) / whole)} %`

export const amount = (count: number): string => Math.round(count).toLocaleString('en')

export function duration(ms: number): string {
  if (ms === Infinity) return 'no bound'
  if (ms < 10) return `${trimmed(ms)} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${trimmed(ms / 1_000)} s`
  return ms < 120 * 60_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}

export function bytes(count: number): string {
  if (count < 1_024) return `${Math.round(count)} B`
  return count < 1_024 * 1_024 ? `${trimmed(count / 1_024)} KiB` : `${trimmed(count / (1_024 * 1_024))} MiB`
}

const trimmed = (value: number): string => String(Number(value.toFixed(value < 100 ? 1 : 0)))
