import { InfraError } from '../stores/store.js'
import type { Say } from '../stores/store.js'
import { until } from '../stores/until.js'

/*
 * The main job, shown: a price is read twice (the second time from memory), written through another service, and read
 * again, first with the write's token (which may not show the old price), then without, until the change has arrived.
 */

const PATH = '/v1/products/1'
const TIMEOUT_MS = 10_000
const LAG_BOUND_MS = 10_000
const PRICES = [1999, 2499] as const

export interface DemonstrationOptions {
  readonly readUrl: string
  readonly writeUrl: string
  readonly say: Say
  readonly now?: () => number
}

interface Answer {
  readonly priceCents: number
  readonly categoryId: number
  readonly tidemark: string
  readonly cacheStatus: string
}

/** @throws InfraError `demonstration_failed` with what came instead */
async function call(url: string, init: RequestInit = {}): Promise<Answer> {
  const fail = (what: string): InfraError =>
    new InfraError('demonstration_failed', `the demonstration failed: ${init.method ?? 'GET'} ${url} ${what}`)
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    (error: unknown) => {
      throw fail(`got no answer (${String(error)})`)
    },
  )
  const text = await answer.text()
  if (answer.status !== 200) throw fail(`gave ${String(answer.status)}: ${text.slice(0, 300)}`)
  const { priceCents, categoryId } = JSON.parse(text) as { priceCents?: unknown; categoryId?: unknown }
  if (typeof priceCents !== 'number' || typeof categoryId !== 'number')
    throw fail(`gave no product: ${text.slice(0, 300)}`)
  const header = (name: string): string => answer.headers.get(name) ?? '(none)'
  return { priceCents, categoryId, tidemark: header('tidemark'), cacheStatus: header('cache-status') }
}

/** Of the product shown: the token of the write, and its category. */
export interface Demonstrated {
  readonly token: string
  readonly categoryId: number
}

/** Shows the way of one write. @throws InfraError `demonstration_failed` */
export async function demonstrate(options: DemonstrationOptions): Promise<Demonstrated> {
  const { readUrl, writeUrl, say, now = () => performance.now() } = options
  const show = (what: string, answer: Answer): void => {
    say(`  ${what.padEnd(24)} priceCents ${String(answer.priceCents)}   Cache-Status: ${answer.cacheStatus}`)
    say(`  ${' '.repeat(24)} Tidemark: ${answer.tidemark}`)
  }
  say(`What it does, shown on ${PATH}:`)
  const before = await call(readUrl + PATH)
  show('read', before)
  show('read again', await call(readUrl + PATH))

  const priceCents = before.priceCents === PRICES[0] ? PRICES[1] : PRICES[0]
  const body = JSON.stringify({ priceCents })
  const headers = { 'content-type': 'application/merge-patch+json' }
  const written = await call(writeUrl + PATH, { method: 'PATCH', headers, body })
  const acknowledgedAt = now()
  let reads = 0
  const arrived = until(async () => {
    reads++
    const plain = await call(readUrl + PATH)
    return plain.priceCents === priceCents ? { plain, lagMs: now() - acknowledgedAt } : undefined
  }, LAG_BOUND_MS)
  const withToken = call(readUrl + PATH, { headers: { tidemark: written.tidemark } })
  const [fresh, session] = await Promise.all([arrived, withToken])

  say(`  ${'PATCH priceCents'.padEnd(24)} priceCents ${String(priceCents)}   its token: ${written.tidemark}`)
  show('read with that token', session)
  if (session.priceCents !== priceCents) {
    throw new InfraError(
      'demonstration_failed',
      'the demonstration failed: a read with the token missed the write',
    )
  }
  if (!fresh) {
    const bound = `${String(LAG_BOUND_MS / 1000)} s`
    throw new InfraError(
      'demonstration_failed',
      `the demonstration failed: a plain read missed the write for ${bound}`,
    )
  }
  show('read without a token', fresh.plain)
  say(
    `Lag: a plain read showed the new price ${fresh.lagMs.toFixed(1)} ms after the write was answered (read ${String(reads)})`,
  )
  return { token: written.tidemark, categoryId: written.categoryId }
}
