/** The requests by which a message is delivered, each style in its own words. */
import { surrogateKey } from '@tidemark/service'
import { everything } from '@tidemark/tide'
import type { Hook } from './hook.js'
import type { Message } from './messages.js'
import { sign } from './signature.js'

export interface Delivery {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Fastly takes 256 keys in one request; either takes about 8 KiB in one header. */
const keysMax = 256
const keysLengthMax = 6_000

export function requestsOf(hook: Hook, message: Message, nowMs: number): Delivery[] {
  switch (hook.style) {
    case 'json':
      return [told(hook, message, nowMs)]
    case 'varnish':
      return purges(message).map((keys) => varnish(hook, keys))
    case 'fastly':
      return purges(message).map((keys) => fastly(hook, keys))
  }
}

type Of<Style extends Hook['style']> = Extract<Hook, { style: Style }>

function told({ name, url, secrets }: Of<'json'>, message: Message, nowMs: number): Delivery {
  const { kind, token, at } = message
  const what = kind === 'changes' ? { changes: message.changes } : { reason: message.reason }
  const timestamp = new Date(at).toISOString()
  const body = JSON.stringify({ type: `tidemark.${kind}`, timestamp, data: { hook: name, token, ...what } })
  const signed = sign(secrets, `${name}-${message.id}`, nowMs, body)
  return { method: 'POST', url, headers: { 'Content-Type': 'application/json', ...signed }, body }
}

/** The header that the VCL of docs/webhooks.md gives to the xkey module; a BAN sinks everything. */
const varnish = ({ url, isSoft }: Of<'varnish'>, keys: string | undefined): Delivery =>
  keys === undefined
    ? { method: 'BAN', url, headers: {} }
    : { method: 'PURGE', url, headers: { [isSoft ? 'xkey-softpurge' : 'xkey-purge']: keys } }

function fastly({ url, service, token, isSoft }: Of<'fastly'>, keys: string | undefined): Delivery {
  const base = `${url.replace(/\/$/, '')}/service/${service}`
  const headers = { 'Fastly-Key': token, Accept: 'application/json' }
  if (keys === undefined) return { method: 'POST', url: `${base}/purge_all`, headers }
  const purge = { ...headers, 'Surrogate-Key': keys, ...(isSoft && { 'Fastly-Soft-Purge': '1' }) }
  return { method: 'POST', url: `${base}/purge`, headers: purge }
}

/** The keys of each request; undefined: everything. */
function purges(message: Message): (string | undefined)[] {
  if (message.kind === 'reset') return [undefined]
  const tags = new Set(message.changes.flatMap((change) => change.tags))
  if (tags.has(everything)) return [undefined]
  const requests: string[][] = []
  let length = Infinity
  for (const key of [...tags].map(surrogateKey)) {
    if (length + key.length > keysLengthMax || requests.at(-1)!.length >= keysMax) {
      requests.push([])
      length = 0
    }
    requests.at(-1)!.push(key)
    length += key.length + 1
  }
  return requests.map((keys) => keys.join(' '))
}
