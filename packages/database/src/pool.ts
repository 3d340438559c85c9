import { Client, Pool, type PoolClient } from 'pg'
import { DatabaseError, messageOf } from './errors.js'

export interface PoolOptions {
  /** `postgres://user:password@host:port/database` */
  readonly url: string
  /** Shown in pg_stat_activity, and in messages. */
  readonly name: string
  /** Connections at most. */
  readonly maxConnections?: number
  /** Longest wait for a connection: in the queue, for the network, and for `verify`. */
  readonly connectTimeoutMs?: number
  /** Longest statement, on the server. The client gives up a second later, when the network hangs. */
  readonly statementTimeoutMs?: number
  /** Longest wait for a row or table lock. */
  readonly lockTimeoutMs?: number
  /** Run once on each new connection before it may serve; throwing refuses the connection. */
  readonly verify?: (client: PoolClient) => Promise<void>
  /** Told when a connection breaks that nobody is using. */
  readonly onConnectionLost?: (error: Error) => void
}

export const poolDefaults = {
  maxConnections: 10,
  connectTimeoutMs: 2_000,
  statementTimeoutMs: 5_000,
  lockTimeoutMs: 2_000,
  idleTimeoutMs: 30_000,
} as const

const networkMarginMs = 1_000

/**
 * A statement that got no answer in time leaves its connection in a state that nobody knows: perhaps inside a transaction
 * that the next borrower would join. `pg` only reports the timeout; this also cuts the connection, so that it cannot return
 * to the pool.
 */
class StrictClient extends Client {
  /** As the server said when the session began. */
  timeZone: string | undefined

  constructor(config?: ConstructorParameters<typeof Client>[0]) {
    super(config)
    this.connection.on('parameterStatus', (said: { parameterName: string; parameterValue: string }) => {
      if (said.parameterName === 'TimeZone') this.timeZone = said.parameterValue
    })
  }

  override query = ((...given: Parameters<Client['query']>): unknown => {
    const answer: unknown = Client.prototype.query.apply(this, given)
    if (answer instanceof Promise) {
      answer.catch((error: unknown) => {
        if (messageOf(error) === 'Query read timeout') this.connection.stream.destroy()
      })
    }
    return answer
  }) as Client['query']
}

/** A pool of which every wait has an end, and whose connections have all been verified. */
export function createPool(options: PoolOptions): Pool {
  const { connectTimeoutMs, statementTimeoutMs, lockTimeoutMs, maxConnections } = withDefaults(options)
  const pool = new Pool({
    Client: StrictClient,
    connectionString: inUtc(options.url),
    application_name: options.name,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: poolDefaults.idleTimeoutMs,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + networkMarginMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs + networkMarginMs,
    verify: boundedVerify(options.name, options.verify, connectTimeoutMs),
  })
  // Without listeners an idle connection that breaks would end the process. The second one is for connections in use: who
  // uses one learns of the break from the statement.
  pool.on('error', (error) => options.onConnectionLost?.(error))
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

function withDefaults(options: PoolOptions) {
  const limits = {
    maxConnections: options.maxConnections ?? poolDefaults.maxConnections,
    connectTimeoutMs: options.connectTimeoutMs ?? poolDefaults.connectTimeoutMs,
    statementTimeoutMs: options.statementTimeoutMs ?? poolDefaults.statementTimeoutMs,
    lockTimeoutMs: options.lockTimeoutMs ?? poolDefaults.lockTimeoutMs,
  }
  for (const [name, value] of Object.entries(limits)) {
    // 0 means "no limit" to Postgres.
    if (!Number.isInteger(value) || value < 1)
      throw new DatabaseError(
        'BAD_OPTION',
        `${options.name}: ${name} must be a whole number above 0, not ${value}`,
      )
  }
  return limits
}

/** Prisma's driver adapter writes and reads times without their zone: right only where the session's zone is UTC. */
export function inUtc(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^postgres(ql)?:$/.test(parsed.protocol))
    throw new DatabaseError(
      'BAD_OPTION',
      'the database URL must look like postgres://user:password@host:5432/name',
    )
  const options = parsed.searchParams.get('options')
  parsed.searchParams.set('options', options ? `${options} -c TimeZone=UTC` : '-c TimeZone=UTC')
  return parsed.href
}

type Verified = (error?: Error) => void

/** PgBouncer drops the start-up options, and with them the zone: the role must have it then. */
function checkZone(client: PoolClient): void {
  const { timeZone } = client as unknown as StrictClient
  if (timeZone === undefined || /^(Etc\/)?(UTC|GMT|UCT|Zulu)$/i.test(timeZone)) return
  throw new Error(
    `the session's time zone is ${timeZone}, though UTC was asked for: behind PgBouncer run ALTER ROLE <the user> SET TimeZone = 'UTC'`,
  )
}

/** pg-pool calls `verify` on a connection before it is handed out, and ends the connection when it is given an error. */
function boundedVerify(name: string, verify: PoolOptions['verify'], timeoutMs: number) {
  return (client: PoolClient, done: Verified): void => {
    let settled = false
    const settle = (error?: unknown): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      if (error === undefined) done()
      else
        done(
          new DatabaseError(
            'CONNECTION_REFUSED',
            `${name}: connection not accepted: ${messageOf(error)}`,
            error,
          ),
        )
    }
    const timer = setTimeout(() => {
      settle(new Error(`not verified within ${timeoutMs} ms`))
    }, timeoutMs)
    // An async wrapper, so that a verify that throws at once is refused like one that rejects.
    const verifyAll = async (): Promise<void> => {
      checkZone(client)
      await verify?.(client)
    }
    void verifyAll().then(() => {
      settle()
    }, settle)
  }
}
