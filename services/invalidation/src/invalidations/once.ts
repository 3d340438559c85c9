/**
 * The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header), as the write service has it.
 *
 * The key is claimed in the transaction that puts the changes into the outbox, and the answer is kept beside it: so a key is
 * remembered if and only if its changes are committed. A second request with the same key waits for the first one, and then is
 * told the same, or does it itself where the first one failed.
 */
import { createHash } from 'node:crypto'
import { classifyFailure } from '@tidemark/database'
import { logDatabase, recordInvalidations } from '@tidemark/log'
import type { ExternalChange } from '@tidemark/log'
import { Problem, problemType } from '@tidemark/service'

type Client = Parameters<typeof logDatabase>[0] & { release(error?: Error | boolean): void }

export interface OnceOptions {
  readonly connect: () => Promise<Client>
  /** How long a key is remembered. */
  readonly keyTtlMs: number
}

interface OnceRequest {
  readonly key: string | undefined
  readonly scope: string
  /** Everything that makes the request what it is. */
  readonly request: unknown
  readonly changes: readonly ExternalChange[]
}

/** Commits all of the changes or none. True: an earlier request with this key had done so. */
export type RecordOnce = (request: OnceRequest) => Promise<{ isReplay: boolean }>

const timeoutMs = 2_000
/** How long another request with the same key is waited for; below `timeoutMs`, so that it is told what it waited for. */
const lockWaitMs = 1_000

/** @throws Problem `idempotency-key-reused` (422), `conflict` (409); LogError `log.unreachable` */
export function recordOnce({ connect, keyTtlMs }: OnceOptions): RecordOnce {
  return async (given) => {
    const client = await connect()
    const { query } = logDatabase(client)
    const run = (text: string, values: readonly unknown[] = []) => query(text, values, { timeoutMs })
    const record = (): Promise<void> => recordInvalidations({ query }, given.changes, timeoutMs)
    try {
      let isReplay = false
      if (given.key === undefined) await record()
      else {
        await run('BEGIN')
        await run(`SET LOCAL lock_timeout = ${lockWaitMs}`)
        isReplay = !(await claim(run, given.key, given, keyTtlMs))
        if (!isReplay) await record()
        await run('COMMIT')
      }
      client.release()
      return { isReplay }
    } catch (error) {
      // A connection in an unknown state is not lent to the next one.
      const isClean = await run('ROLLBACK').then(
        () => true,
        () => false,
      )
      client.release(!isClean)
      throw isLockTimeout(error) ? stillRunning(given.key ?? '') : error
    }
  }
}

type Run = (text: string, values?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>

/** Whether the key is ours now. */
async function claim(
  run: Run,
  key: string,
  { scope, request }: OnceRequest,
  ttlMs: number,
): Promise<boolean> {
  const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex')
  await run('DELETE FROM idempotency_key WHERE scope = $1 AND key = $2 AND expires_at < now()', [scope, key])
  const claimed = await run(
    `INSERT INTO idempotency_key (scope, key, request_hash, status, headers, expires_at)
     VALUES ($1, $2, $3, 201, '{}', now() + $4::float8 * interval '1 millisecond')
     ON CONFLICT (scope, key) DO NOTHING RETURNING 1`,
    [scope, key, hash, ttlMs],
  )
  if (claimed.length > 0) return true
  const [kept] = await run('SELECT request_hash FROM idempotency_key WHERE scope = $1 AND key = $2', [
    scope,
    key,
  ])
  if (kept === undefined) throw stillRunning(key)
  if (kept['request_hash'] !== hash) throw reused(key)
  return false
}

const isLockTimeout = (error: unknown): boolean => {
  const failure = classifyFailure(error instanceof Error && error.cause !== undefined ? error.cause : error)
  return failure.kind === 'unavailable' && /lock timeout/.test(failure.reason)
}

const field = (key: string, message: string) =>
  [{ in: 'header', field: 'Idempotency-Key', message, given: key.slice(0, 100) }] as const

const stillRunning = (key: string): Problem =>
  new Problem('conflict', {
    detail: 'A request with the same Idempotency-Key is under way: wait for its answer.',
    errors: field(key, 'may still be in use'),
    headers: { 'Retry-After': '1' },
  })

const reused = (key: string): Problem =>
  new Problem(problemType('idempotency-key-reused', 422, 'The Idempotency-Key belongs to another request'), {
    detail: 'A key may be sent again only with the very same request. Nothing was changed.',
    errors: field(key, 'was used for another request'),
  })

/** Most keys forgotten at a time. */
const sweepMax = 10_000

/** Forgets keys that have expired. */
export const sweepKeys = (query: (text: string, values: unknown[]) => Promise<unknown>): Promise<unknown> =>
  query(
    `DELETE FROM idempotency_key WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM idempotency_key WHERE expires_at < now() LIMIT $1))`,
    [sweepMax],
  )
