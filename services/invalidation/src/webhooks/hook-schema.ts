/** One entry of WEBHOOKS, as it is written. */
import { duration } from '@tidemark/service'
import { z } from 'zod'

/** For lists of filters. */
const namesMax = 100
const namesLengthMax = 600

const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, "must be 1 to 40 small letters, digits or '-'")

const url = z.string().refine(isAddress, 'must be an http or https URL without a user, a password or a #')

const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'must be the name of an environment variable')

const names = z.array(z.string().min(1).max(namesLengthMax)).min(1).max(namesMax).optional()
const count = (min: number, max: number) =>
  z.int(`must be a whole number from ${min} to ${max}`).min(min).max(max)

const common = {
  name,
  resources: names,
  tags: names,
  concurrency: count(1, 32).default(4),
  timeout: duration({ min: '100ms', max: '30s' }).prefault('10s'),
  attempts: count(1, 30).default(12),
  retryAfter: duration({ min: '10ms', max: '1h' }).prefault('5s'),
  backlog: count(1, 100_000).default(1_000),
}

/** A signing key or an access token: in the entry itself, or in the environment variable that the entry names. */
const secret = z.string().min(16, 'must have at least 16 characters').max(500).optional()

const purging = {
  soft: z.boolean().default(false),
  /** A second purge, so much later; '0s' for none. */
  again: duration({ min: '0s', max: '1h' }).prefault('5s'),
}

export const hookSchema = z.discriminatedUnion('style', [
  z.strictObject({
    ...common,
    style: z.literal('json'),
    url,
    secret,
    secretEnv: variable.optional(),
    previousSecret: secret,
    previousSecretEnv: variable.optional(),
  }),
  z.strictObject({ ...common, ...purging, style: z.literal('varnish'), url }),
  z.strictObject({
    ...common,
    ...purging,
    style: z.literal('fastly'),
    url: url.prefault('https://api.fastly.com'),
    service: z.string().regex(/^[A-Za-z0-9]{1,64}$/, 'must be the ID of a Fastly service'),
    secret,
    secretEnv: variable.optional(),
  }),
])

export type WrittenHook = z.output<typeof hookSchema>

function isAddress(text: string): boolean {
  if (!URL.canParse(text) || text.length > 2_000) return false
  const { protocol, username, password, hash } = new URL(text)
  return /^https?:$/.test(protocol) && `${username}${password}${hash}` === ''
}
