/**
 * The judge: what a client may see, from what it knows by itself.
 *
 * Each product has one writer, which writes rising values, one at a time. The judge knows when each write was begun
 * and acknowledged, on the clock of this one process, and judges an answer only by writes whose acknowledgement came
 * before the instant that the promise names. A commit comes before its acknowledgement, so a wrong answer is never
 * excused and a right one never accused:
 *
 * - bounded: contains every write acknowledged more than `maxLagMs` before the request was sent;
 * - session: also every write up to the token sent, and nothing older than this session has seen;
 * - strict:  contains every write acknowledged before the request was sent.
 */

export type Level = 'bounded' | 'session' | 'strict'
export type Writer = 'service' | 'sql'

export interface Write {
  readonly value: number
  readonly writer: Writer
  readonly begunAt: number
  /** Milliseconds on this process's clock; undefined while the outcome is unknown. */
  acknowledgedAt?: number
  /** What the write service answered, where it was the writer. */
  token?: string
}

export interface Observation {
  readonly productId: number
  readonly level: Level
  readonly value: number
  readonly sentAt: number
  readonly receivedAt: number
  readonly reader: string
  readonly cacheStatus: string
  readonly tokenSent: string | undefined
  readonly tokenReceived: string | undefined
  /** The highest value this session had seen of this product. */
  readonly seenBefore: number | undefined
}

export interface Wrong {
  readonly observation: Observation
  readonly promise: string
  readonly expectedAtLeast: number
  readonly history: readonly Write[]
}

export class History {
  readonly #writes = new Map<number, Write[]>()
  readonly #initial = new Map<number, number>()
  readonly #maxLagMs: number

  constructor(maxLagMs: number) {
    this.#maxLagMs = maxLagMs
  }

  begin(productId: number, write: Write): Write {
    const writes = this.#writes.get(productId)
    if (writes === undefined) this.#writes.set(productId, [write])
    else writes.push(write)
    return write
  }

  /** Whether the last write of this product has an outcome: only then may the next begin. */
  isSettled(productId: number): boolean {
    return this.#writes.get(productId)?.at(-1)?.acknowledgedAt !== undefined || !this.#writes.has(productId)
  }

  /** What is wrong with an answer, or undefined. */
  judge(observation: Observation): Wrong | undefined {
    const writes = this.#writes.get(observation.productId) ?? []
    const wrong = (promise: string, expectedAtLeast: number): Wrong => ({
      observation,
      promise,
      expectedAtLeast,
      history: [...writes],
    })
    const { value, level, sentAt, tokenSent, seenBefore } = observation
    if (!this.#wasEverWritten(observation.productId, value, writes))
      return wrong('a value that was written', NaN)

    const cutoff = level === 'strict' ? sentAt : sentAt - this.#maxLagMs
    const due = newestValue(writes, (write) => write.acknowledgedAt! < cutoff)
    if (value < due) return wrong(level === 'strict' ? 'strict' : 'bounded', due)
    if (level !== 'session') return undefined

    if (seenBefore !== undefined && value < seenBefore) return wrong('monotonic reads', seenBefore)
    if (tokenSent === undefined) return undefined
    const owed = newestValue(
      writes,
      (write) => write.token !== undefined && isCovered(write.token, tokenSent),
    )
    return value < owed ? wrong('read your writes', owed) : undefined
  }

  /** Milliseconds by which an answer was behind at the moment it was asked for; 0 where it was not. */
  behindMs({ productId, value, sentAt }: Observation): number {
    const missed = this.#writes.get(productId)?.find((w) => w.value > value && w.acknowledgedAt! < sentAt)
    return missed === undefined ? 0 : sentAt - missed.acknowledgedAt!
  }

  /** A value below every write of this run is the one the product had before it: the same for every answer. */
  #wasEverWritten(productId: number, value: number, writes: readonly Write[]): boolean {
    if (writes.some((write) => write.value === value)) return true
    const initial = this.#initial.get(productId)
    if (initial !== undefined) return initial === value
    this.#initial.set(productId, value)
    return true
  }
}

function newestValue(writes: readonly Write[], counts: (write: Write) => boolean): number {
  for (let i = writes.length - 1; i >= 0; i--) {
    const write = writes[i]!
    if (write.acknowledgedAt !== undefined && counts(write)) return write.value
  }
  return -Infinity
}

/** Tokens read `term-position`; an older term's counts as met. */
function isCovered(token: string, by: string): boolean {
  const [term, position] = token.split('-').map(Number) as [number, number]
  const [byTerm, byPosition] = by.split('-').map(Number) as [number, number]
  return term < byTerm || (term === byTerm && position <= byPosition)
}

/** The later of two tokens. */
export const laterToken = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined ? b : b === undefined || isCovered(b, a) ? a : b
