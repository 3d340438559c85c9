/**
 * The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header).
 *
 * The key is claimed by a row that is inserted in the command's own transaction, and the answer is kept in that row
 * before it commits. So a key is remembered if and only if its command was done; a command that failed leaves its key
 * free. A second request with the same key waits on the first one's row, and then either is told the first one's answer
 * or, if the first one failed, does the command itself.
 */
import { createHash } from 'node:crypto'
import type { PrismaClient } from '@tidemark/database'
import { Problem } from '@tidemark/service'
import type { Outcome } from './outcome.js'

export interface IdempotentRequest {
  readonly key: string
  /** Keys of different endpoints do not meet. */
  readonly scope: string
  /** Everything that makes the request what it is. */
  readonly fingerprint: string
  readonly ttlMs: number
}

export type Transaction = Pick<PrismaClient, '$executeRaw' | '$queryRaw'>

export const fingerprintOf = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex')

/**
 * The answer given before under this key, or undefined: the key is ours, to be kept with `remember`.
 * @throws Problem `idempotency-key-reused` (422) when the key came with another request.
 */
export async function claim(tx: Transaction, request: IdempotentRequest): Promise<Outcome | undefined> {
  const { scope, key, fingerprint, ttlMs } = request
  await tx.$executeRaw`
    DELETE FROM idempotency_key WHERE scope = ${scope} AND key = ${key} AND expires_at < now()`
  const claimed = await tx.$executeRaw`
    INSERT INTO idempotency_key (scope, key, request_hash, expires_at)
    VALUES (${scope}, ${key}, ${fingerprint}, now() + ${ttlMs}::float8 * interval '1 millisecond')
    ON CONFLICT (scope, key) DO NOTHING`
  if (claimed === 1) return undefined

  const [kept] = await tx.$queryRaw<Kept[]>`
    SELECT request_hash, status, headers, body FROM idempotency_key WHERE scope = ${scope} AND key = ${key}`
  if (kept?.status == null)
    throw new Problem('conflict', { detail: 'Try again.', headers: { 'Retry-After': '1' } })
  if (kept.request_hash !== fingerprint) throw reused(key)
  return { status: kept.status, headers: kept.headers, body: kept.body }
}

interface Kept {
  readonly request_hash: string
  readonly status: Outcome['status'] | null
  readonly headers: Record<string, string>
  readonly body: string | null
}

export async function remember(
  tx: Transaction,
  { scope, key }: IdempotentRequest,
  { status, headers, body }: Outcome,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE idempotency_key SET status = ${status}, headers = ${JSON.stringify(headers)}::jsonb, body = ${body}
    WHERE scope = ${scope} AND key = ${key}`
}

/** Most keys forgotten at a time. */
const sweepMax = 10_000

/** Forgets keys that have expired. Returns how many. */
export function sweep(prisma: Transaction): Promise<number> {
  return prisma.$executeRaw`
    DELETE FROM idempotency_key WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM idempotency_key WHERE expires_at < now() LIMIT ${sweepMax}))`
}

function reused(key: string): Problem {
  return new Problem(
    {
      type: '/problems/idempotency-key-reused',
      status: 422,
      title: 'The Idempotency-Key belongs to another request',
    },
    {
      detail: 'A key may be sent again only with the very same request. Nothing was changed.',
      errors: [
        {
          in: 'header',
          field: 'Idempotency-Key',
          message: 'was used for another request',
          given: key.slice(0, 100),
        },
      ],
    },
  )
}
