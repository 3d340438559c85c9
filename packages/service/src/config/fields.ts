import ms, { type StringValue } from 'ms'
import { z } from 'zod'
import { secret } from './secret.js'

/** A TCP port; 0 lets the system choose a free one. */
export function port() {
  const allowed = 'must be a whole number from 0 to 65535'
  return z
    .string({ error: allowed })
    .regex(/^\d{1,5}$/, allowed)
    .transform(Number)
    .refine((value) => value <= 65_535, allowed)
}

/** A whole number, such as a limit. */
export function integer({ min, max }: { min: number; max: number }) {
  const allowed = `must be a whole number from ${String(min)} to ${String(max)}`
  return z
    .string({ error: allowed })
    .regex(/^-?\d{1,15}$/, allowed)
    .transform(Number)
    .refine((value) => value >= min && value <= max, allowed)
}

const DURATION = /^\d+(\.\d+)?(ms|s|m|h|d)$/

/** A duration for people ('250ms', '10s', '1h'); the parsed value is in milliseconds. Bounds are inclusive. */
export function duration({ min = '1ms', max = '7d' }: { min?: StringValue; max?: StringValue } = {}) {
  const allowed = `must be a duration from '${min}' to '${max}', such as '250ms', '10s', '5m' or '1h'`
  return z
    .string({ error: allowed })
    .regex(DURATION, allowed)
    .transform((text) => ms(text as StringValue))
    .refine((value) => value >= ms(min) && value <= ms(max), allowed)
}

const STORES = {
  postgres: {
    protocols: ['postgres:', 'postgresql:'],
    example: 'postgresql://user@host:5432/database',
  },
  redis: { protocols: ['redis:', 'rediss:'], example: 'redis://host:6379' },
} as const

/** The URL of a store. Its value is a secret: it may carry a password. */
export function storeUrl(store: keyof typeof STORES) {
  const { protocols, example } = STORES[store]
  const allowed = `must be a URL such as ${example}`
  const names = (text: string) =>
    URL.canParse(text) &&
    (protocols as readonly string[]).includes(new URL(text).protocol) &&
    new URL(text).hostname !== ''
  return secret(z.string({ error: allowed }).refine(names, allowed))
}

/** The URL of an HTTP service, without a password, query or fragment; the parsed value has no slash at its end. */
export function httpUrl() {
  const allowed = 'must be a URL such as http://host:8080, without a password, query or fragment'
  const names = (text: string) => {
    if (!URL.canParse(text)) return false
    const { protocol, username, password, search, hash } = new URL(text)
    return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '')
  }
  return z
    .string({ error: allowed })
    .refine(names, allowed)
    .transform((text) => text.replace(/\/+$/, ''))
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

export function logLevel() {
  return z.enum(LEVELS, { error: `must be one of ${LEVELS.join(', ')}` })
}
