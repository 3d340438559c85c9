/**
 * The hooks, from the environment: `WEBHOOKS` holds a JSON array, or `WEBHOOKS_FILE` names a file that does. They are declared
 * by whoever runs the service, and never over the network: see docs/decisions/0014.
 *
 * A mistake is told by entry and field. What was given is not shown: it may be a secret, or a URL that is one.
 */
import { readFileSync } from 'node:fs'
import { ConfigError, reasonOf } from '@tidemark/service'
import type { Environment } from '@tidemark/service'
import { z } from 'zod'
import type { Hook } from './hook.js'
import type { WrittenHook } from './hook-schema.js'
import { hookSchema } from './hook-schema.js'
import { signingKey } from './signature.js'

/** Each has a queue, a worker and two connections of its own. */
const hooksMax = 50

export interface HookSource {
  readonly WEBHOOKS?: string | undefined
  readonly WEBHOOKS_FILE?: string | undefined
}

/** @throws ConfigError naming every mistake. */
export function readHooks(source: HookSource, env: Environment): readonly Hook[] {
  const variable = source.WEBHOOKS === undefined ? 'WEBHOOKS_FILE' : 'WEBHOOKS'
  const wrong = (mistakes: readonly string[]): ConfigError =>
    new ConfigError(mistakes.map((allowed) => ({ variable, given: '(not shown)', allowed })))
  if (source.WEBHOOKS !== undefined && source.WEBHOOKS_FILE !== undefined)
    throw wrong(['give either WEBHOOKS or WEBHOOKS_FILE'])
  const text = source.WEBHOOKS ?? read(source.WEBHOOKS_FILE, wrong)
  if (text === undefined) return []

  const entries = listIn(text)
  if (entries === undefined) throw wrong(['must be a JSON array of hooks'])
  if (entries.length > hooksMax) throw wrong([`must have at most ${hooksMax} hooks`])
  const mistakes: string[] = []
  const hooks = entries.flatMap((entry, index) => {
    const say = (field: string, what: string): number =>
      mistakes.push(`${labelOf(entry, index)}${field === '' ? '' : ` ${field}`}: ${what}`)
    const parsed = hookSchema.safeParse(withStyle(entry))
    if (parsed.success) return [hookOf(parsed.data, env, say)]
    for (const { path, message } of parsed.error.issues) say(path.join('.'), message)
    return []
  })
  for (const [index, { name }] of hooks.entries())
    if (hooks.findIndex((other) => other.name === name) < index)
      mistakes.push(`entry ${index + 1} (${name}) name: is another hook's already`)
  if (mistakes.length > 0) throw wrong(mistakes)
  return hooks
}

type Say = (field: string, what: string) => void

function hookOf(written: WrittenHook, env: Environment, say: Say): Hook {
  const { name, url, resources, tags, concurrency, timeout, attempts, retryAfter, backlog } = written
  const patience = {
    concurrency,
    timeoutMs: timeout,
    attempts,
    retryAfterMs: retryAfter,
    backlogMax: backlog,
  }
  const common = { name, url, resources, tags, ...patience }
  switch (written.style) {
    case 'json':
      return { ...common, style: 'json', secrets: signingKeys(written, env, say) }
    case 'varnish':
      return { ...common, style: 'varnish', isSoft: written.soft, againMs: written.again }
    case 'fastly': {
      const { service, soft, again } = written
      const token = secretOf(written, 'secret', env, say) ?? ''
      if (token === '') say('secret', 'is missing: give secret or secretEnv')
      if (!/^[\x21-\x7e]*$/.test(token)) say('secret', 'must be visible ASCII characters')
      return { ...common, style: 'fastly', service, token, isSoft: soft, againMs: again }
    }
  }
}

function signingKeys(written: WrittenHook, env: Environment, say: Say): Buffer[] {
  const keys = (['secret', 'previousSecret'] as const).flatMap((field) => {
    const text = secretOf(written, field, env, say)
    const key = text === undefined ? undefined : signingKey(text)
    if (text !== undefined && key === undefined)
      say(field, "must be 'whsec_' and the base64 of 24 to 64 random bytes (openssl rand -base64 32)")
    if (text === undefined && field === 'secret') say(field, 'is missing: give secret or secretEnv')
    return key === undefined ? [] : [key]
  })
  return keys
}

/** From the entry or from the variable it names. */
function secretOf(
  written: Readonly<Record<string, unknown>>,
  field: 'secret' | 'previousSecret',
  env: Environment,
  say: Say,
): string | undefined {
  const own = written[field] as string | undefined
  const named = written[`${field}Env`] as string | undefined
  if (named === undefined) return own
  if (own !== undefined) say(`${field}Env`, `give either ${field} or ${field}Env`)
  if (!env[named]) say(`${field}Env`, `names ${named}, which is not set`)
  return env[named] || own
}

function read(
  path: string | undefined,
  wrong: (mistakes: readonly string[]) => ConfigError,
): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw wrong([`must name a file that can be read: ${reasonOf(error)}`])
  }
}

function listIn(text: string): unknown[] | undefined {
  try {
    const parsed = JSON.parse(text) as unknown
    return Array.isArray(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

const named = z.looseObject({ name: z.string().regex(/^[\w-]{1,60}$/) })

/** `entry 2 (orders)` */
function labelOf(entry: unknown, index: number): string {
  const { data } = named.safeParse(entry)
  return `entry ${index + 1}${data === undefined ? '' : ` (${data.name})`}`
}

/** `json` where the entry names no style. */
const withStyle = (entry: unknown): unknown =>
  typeof entry === 'object' && entry !== null && !Array.isArray(entry) ? { style: 'json', ...entry } : entry
