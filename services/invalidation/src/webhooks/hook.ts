/** What a hook is: who is told, of which changes, and how. */
import type { ChangeFilter } from '@tidemark/log'

/** How often and how long a delivery is tried. */
interface Patience {
  /** Deliveries of this hook under way in one process. */
  readonly concurrency: number
  /** Of one request, from its first byte to the answer's head. */
  readonly timeoutMs: number
  /** Then it is a dead letter. */
  readonly attempts: number
  /** Before the second attempt; doubled before each further one, up to an hour. */
  readonly retryAfterMs: number
  /** Deliveries that wait, and dead letters; from so many on the hook's cursor stays where it is. */
  readonly backlogMax: number
}

/** Signed as Standard Webhooks say. `secrets`: the raw keys, the present one first; one signature by each. */
interface JsonStyle {
  readonly style: 'json'
  readonly secrets: readonly Buffer[]
}

interface VarnishStyle {
  readonly style: 'varnish'
  readonly isSoft: boolean
  readonly againMs: number
}

interface FastlyStyle {
  readonly style: 'fastly'
  readonly service: string
  readonly token: string
  readonly isSoft: boolean
  readonly againMs: number
}

export type Hook = { readonly name: string; readonly url: string } & ChangeFilter &
  Patience &
  (JsonStyle | VarnishStyle | FastlyStyle)

export const cursorOf = (hook: string): string => `webhook:${hook}`
export const queueOf = (hook: string): `webhooks-${string}` => `webhooks-${hook}`
