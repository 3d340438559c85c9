import { storeUrl } from '@tidemark/service'
import { z } from 'zod'

/** One more Redis that is kept a copy of the log: another region's, say. */
export interface NamedSink {
  readonly name: string
  readonly url: string
}

/** Of REDIS_URL. */
export const firstSinkName = 'redis'

const sinksMax = 8
const nameAllowed = /^[a-z0-9][a-z0-9_-]{0,39}$/i
const url = storeUrl('redis')

/**
 * `name=url` separated by commas, or a JSON object of them. Messages name the sink that is wrong and never show a URL,
 * for it may hold a password.
 *
 * @example sinkList().parse('eu=redis://eu.example:6379,us=rediss://us.example:6380')
 */
export const sinkList = () =>
  z.string().transform((text, context): readonly NamedSink[] => {
    const pairs = text.trimStart().startsWith('{') ? fromJson(text) : fromPairs(text)
    const refuse = (message: string): never => {
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }
    if (pairs === undefined) return refuse('must be name=url,name=url or a JSON object of names and URLs')
    if (pairs.length > sinksMax) return refuse(`must name at most ${sinksMax} sinks, not ${pairs.length}`)
    const seen = new Set<string>([firstSinkName])
    for (const [index, [name, given]] of pairs.entries()) {
      const place = `sink ${index + 1}${name === '' ? '' : ` (${JSON.stringify(name.slice(0, 40))})`}`
      if (!nameAllowed.test(name))
        return refuse(`${place}: its name must be 1 to 40 letters, digits, '-' or '_'`)
      if (seen.has(name))
        return refuse(`${place}: the name is taken${name === firstSinkName ? ' by REDIS_URL' : ''}`)
      seen.add(name)
      const checked = url.safeParse(given)
      if (!checked.success) return refuse(`${place}: ${checked.error.issues[0]?.message ?? 'must be a URL'}`)
    }
    return pairs.map(([name, value]) => ({ name, url: String(value) }))
  })

type Pair = readonly [name: string, url: unknown]

function fromJson(text: string): Pair[] | undefined {
  try {
    return Object.entries(JSON.parse(text) as object)
  } catch {
    return undefined
  }
}

/** A URL without a name gets none, which is then refused by its place. */
const fromPairs = (text: string): Pair[] =>
  text.split(',').map((item): Pair => {
    const [, name = '', value = item] = /^\s*([^=:/]*)=(.*)$/.exec(item) ?? []
    return [name.trim(), value.trim()]
  })
