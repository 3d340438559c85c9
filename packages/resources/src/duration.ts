import ms, { type StringValue } from 'ms'

/** `'10m'`: a whole number and one of ms, s, m, h, d. Undefined when it is anything else. */
export function parseDuration(text: string): number | undefined {
  if (!/^\d{1,9}(ms|s|m|h|d)$/.test(text)) return undefined
  return ms(text as StringValue)
}
