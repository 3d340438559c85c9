/** The value below which a share (0 to 1) of `values` lies; NaN where there are none. Sorts in place. */
export function percentile(values: number[], share: number): number {
  if (values.length === 0) return NaN
  values.sort((a, b) => a - b)
  return values[Math.min(values.length - 1, Math.floor(values.length * share))]!
}
