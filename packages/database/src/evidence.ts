/**
 * What is known of a failed statement, whoever reports it. An error of `pg` carries its SQLSTATE and names; one of Prisma
 * carries a code of its own (P2002) and, two levels down, what the driver adapter made of the same error. A message is
 * looked at only where neither gives anything else.
 */
export interface Evidence {
  /** SQLSTATE, or Node's code of a socket error. */
  readonly code: string | undefined
  /** Prisma's code, such as P2025. */
  readonly prismaCode: string | undefined
  readonly constraint: string | undefined
  readonly columns: readonly string[]
  readonly message: string
}

interface DriverCause {
  kind?: string
  originalCode?: string
  code?: string
  originalMessage?: string
  message?: string
  column?: string
  constraint?: { index?: string; fields?: string[] } | undefined
}

interface ErrorLike {
  code?: unknown
  message?: unknown
  constraint?: unknown
  column?: unknown
  cause?: unknown
  meta?: { driverAdapterError?: { cause?: DriverCause } }
  clientVersion?: unknown
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
const unquoted = (name: string): string => name.replaceAll('"', '').replace(/^.*\./, '')

/** Socket trouble reaches us under the adapter's name for it. */
const socketCodes: Readonly<Record<string, string>> = {
  DatabaseNotReachable: 'ECONNREFUSED',
  ConnectionClosed: 'ECONNRESET',
  SocketTimeout: 'ETIMEDOUT',
}

export function evidenceOf(error: unknown): Evidence {
  const given = (error ?? {}) as ErrorLike
  const code = text(given.code)
  const driver = driverCause(given)
  if (driver) {
    const message = driver.originalMessage ?? driver.message ?? text(given.message) ?? ''
    return {
      code: driver.originalCode ?? driver.code ?? socketCodes[driver.kind ?? ''],
      prismaCode: code,
      constraint: driver.constraint?.index ?? quotedConstraint(message),
      columns: [
        ...(driver.constraint?.fields ?? []),
        ...(driver.column ? [driver.column] : []),
        ...quotedColumn(message),
      ].map(unquoted),
      message,
    }
  }
  const isPrisma = code !== undefined && /^P\d{4}$/.test(code)
  const message = text(given.message) ?? ''
  return {
    code: isPrisma ? undefined : code,
    prismaCode: isPrisma ? code : undefined,
    constraint: text(given.constraint) ?? quotedConstraint(message),
    columns: [...(text(given.column) ? [text(given.column)!] : []), ...quotedColumn(message)].map(unquoted),
    message,
  }
}

/** Under `meta` for known request errors; the error itself, or its cause, for what Prisma passes through. */
function driverCause(error: ErrorLike): DriverCause | undefined {
  const candidates = [
    error.meta?.driverAdapterError?.cause,
    error.cause,
    (error.cause as ErrorLike | undefined)?.cause,
  ]
  return candidates.find(
    (one): one is DriverCause => typeof (one as DriverCause | undefined)?.kind === 'string',
  )
}

const quotedConstraint = (message: string): string | undefined => /constraint "([^"]+)"/.exec(message)?.[1]

/** `null value in column "name" of relation "brand" violates not-null constraint` */
const quotedColumn = (message: string): string[] => {
  const column = /in column "([^"]+)"/.exec(message)?.[1]
  return column === undefined ? [] : [column]
}
