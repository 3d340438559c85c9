import type { z } from 'zod'
import { redactText } from '../redact.js'
import { ConfigError, type ConfigMistake } from './config-error.js'
import { isSecret } from './secret.js'

/** What `process.env` is: a record of texts. An empty text counts as not set, as container tools write it. */
export type Environment = Readonly<Record<string, string | undefined>>

const SHOWN_CHARACTERS = 80

/**
 * Reads a service's configuration from its environment. Unknown variables are ignored.
 *
 * @throws ConfigError naming all mistakes at once.
 * @example parseConfig(commonConfig.extend({ REDIS_URL: storeUrl('redis') }), process.env)
 */
export function parseConfig<S extends z.ZodObject>(schema: S, env: Environment): z.output<S> {
  const given = Object.fromEntries(
    Object.keys(schema.shape)
      .map((name) => [name, env[name]] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  )
  const result = schema.safeParse(given)
  if (result.success) return result.data
  throw new ConfigError(result.error.issues.map((issue) => mistake(schema, given, issue)))
}

function mistake(
  schema: z.ZodObject,
  given: Record<string, string | undefined>,
  issue: z.core.$ZodIssue,
): ConfigMistake {
  const variable = String(issue.path[0] ?? 'The configuration')
  const value = given[variable]
  if (value === undefined) return { variable, given: undefined, allowed: issue.message }
  return { variable, given: shown(value, isSecret(schema.shape[variable])), allowed: issue.message }
}

/** A secret is shown only as the address of its URL, so that one can still see which server was meant. */
function shown(value: string, isHidden: boolean): string {
  if (!isHidden) return JSON.stringify(redactText(value).slice(0, SHOWN_CHARACTERS))
  if (!URL.canParse(value)) return '(not shown)'
  const url = new URL(value)
  return url.host === '' ? '(not shown)' : `${url.protocol}//…@${url.host}/…`
}
