/**
 * Any cache that is asked by HTTP, audited against any origin that is: one URL gives the answer, the other the truth.
 *
 * There is no log to ask what has changed in between. So the origin is read once more after the answer: where it still
 * says what it said before, an answer that differs is wrong, and where it now says what the answer shows, the answer is
 * right. (A value that changes and changes back within one look would deceive it.)
 */
import { z } from 'zod'
import { wholeBody } from '../reader/whole-body.js'
import { digestOf, nothing, numberAt, partOf } from './asked-state.js'
import { isSame } from './judge.js'
import type { Answer, AuditTarget, State, Truth } from './target.js'

const pointer = z
  .string()
  .max(200)
  .regex(/^(\/[^/]*)*$/, { error: 'must be a JSON pointer such as /data/version' })
const template = z
  .string()
  .max(2_000)
  .refine((text) => text.includes('{key}') && URL.canParse(text) && /^https?:/.test(text), {
    error: 'must be an http URL with {key} in it',
  })

export const httpTargetSchema = z.strictObject({
  /** In metrics and reports. */
  name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, { error: 'must be like my-cache' }),
  /** What is audited. */
  answer: template,
  /** Read around the cache. */
  truth: template,
  keys: z.array(z.string().min(1).max(500)).min(1).max(1_000),
  /** What must be equal: the bytes, the entity tag, or a part of the JSON. */
  compare: z.union([z.literal('body'), z.literal('etag'), pointer]).default('body'),
  /** Where the JSON holds a number that rises with each change. */
  version: pointer.optional(),
  /** By how much the cache says that it trails at most. Left out: it promises nothing. */
  promisedMs: z.int().min(0).max(86_400_000).optional(),
})

export type HttpTargetRules = z.output<typeof httpTargetSchema>

const deadlineMs = 5_000
const bodyMaxBytes = 4 * 1_048_576

export function httpTarget(rules: HttpTargetRules, random: () => number = Math.random): AuditTarget {
  const { name, keys, promisedMs } = rules
  const ask = async (url: string, key: string, signal: AbortSignal) => {
    const answer = await fetch(url.replaceAll('{key}', encodeURIComponent(key)), {
      headers: { 'User-Agent': 'tidemark-audit' },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
    })
    const body = await wholeBody(answer, bodyMaxBytes)
    return { status: answer.status, headers: answer.headers, state: stateOf(rules, answer, body) }
  }
  const truth = async (key: string, signal: AbortSignal): Promise<Truth> => {
    const { status, state } = await ask(rules.truth, key, signal)
    if (state === undefined) throw new Error(`the origin of ${name} answered ${String(status)}`)
    return { state, place: new Date().toISOString() }
  }
  return {
    name,
    sample: () => Promise.resolve(keys[Math.floor(random() * keys.length)]),
    truth,
    async answer(key, signal): Promise<Answer> {
      const { status, headers, state } = await ask(rules.answer, key, signal)
      const told = ['age', 'cache-control', 'cache-status', 'x-cache', 'etag', 'date', 'last-modified']
      const shown = told.flatMap((header) => {
        const value = headers.get(header)
        return value === null ? [] : [[header, value.slice(0, 200)] as const]
      })
      return { status, state, headers: Object.fromEntries(shown), promisedMs }
    },
    async since(key, before, answer, signal) {
      const { state } = await truth(key, signal)
      if (isSame(state, before.state)) return 'untouched'
      if (isSame(state, answer)) return 'later'
      return rules.version === undefined ? 'unknown' : 'updated'
    },
  }
}

function stateOf({ compare, version }: HttpTargetRules, answer: Response, body: Buffer): State | undefined {
  if (answer.status === 404 || answer.status === 410) return nothing
  if (answer.status !== 200) return undefined
  const compared = comparedOf(compare, answer.headers, body)
  if (compared === undefined) return undefined
  return {
    isPresent: true,
    digest: digestOf(compared),
    version: version === undefined ? undefined : numberAt(body, version),
  }
}

/** Undefined: the answer has no such thing. */
function comparedOf(compare: string, headers: Headers, body: Buffer): Buffer | string | undefined {
  if (compare === 'body') return body
  if (compare === 'etag') return headers.get('etag')?.replace(/^W\//, '')
  try {
    const part = partOf(JSON.parse(body.toString()), compare)
    return part === undefined ? undefined : JSON.stringify(part)
  } catch {
    return undefined
  }
}
