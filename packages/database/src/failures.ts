import { DatabaseError } from './errors.js'
import { evidenceOf, type Evidence } from './evidence.js'
import { fieldOf, fieldsOfConstraint } from './names.js'

/** Why a statement failed, for callers to switch over. Field names are the API's (`categoryId`). */
export type Failure =
  /** Another row has these values already. */
  | { readonly kind: 'unique'; readonly fields: readonly string[] }
  /** `missing`: the row named by `field` does not exist. `referenced`: rows that name this one by `field` still do. */
  | {
      readonly kind: 'foreign-key'
      readonly field: string | undefined
      readonly side: 'missing' | 'referenced'
    }
  /** A CHECK refused the values. */
  | { readonly kind: 'check'; readonly fields: readonly string[]; readonly constraint: string | undefined }
  /** A value that the column cannot hold: NULL, out of range, too long, not of the type. */
  | { readonly kind: 'invalid'; readonly field: string | undefined }
  /** The row to be changed is not there. */
  | { readonly kind: 'not-found' }
  /** Lost against a concurrent transaction (serialisation, deadlock): running it again may succeed. */
  | { readonly kind: 'conflict' }
  /** Postgres could not be reached, is going down, is read-only, or did not answer in time. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'other' }

const unavailable = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH',
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57014', // query_canceled: statement_timeout
  '55P03', // lock_not_available: lock_timeout
  '25P03', // idle_in_transaction_session_timeout
  '25P04', // transaction_timeout
  '25006', // read_only_sql_transaction: a standby, or a primary that was demoted
  '53300', // too_many_connections
]) // prettier-ignore

/** P1001, P1002 unreachable; P1008, P2024, P2028 timeouts; P1017 closed. */
const unavailableInPrisma = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028'])

/** Errors that `pg` and `pg-pool` raise without a code. */
const unavailableMessages =
  /^(timeout exceeded when trying to connect|Connection terminated|Query read timeout|timeout expired|Client has encountered a connection error|Cannot use a pool after calling end)/

/** Says why a statement failed, from an error of Prisma or of `pg`. Never throws. */
export function classifyFailure(error: unknown): Failure {
  const evidence = evidenceOf(error)
  if (error instanceof DatabaseError && (error.code === 'UNAVAILABLE' || error.code === 'CONNECTION_REFUSED'))
    return { kind: 'unavailable', reason: error.message }
  return ofConstraint(evidence) ?? ofAvailability(evidence) ?? { kind: 'other' }
}

function ofConstraint(evidence: Evidence): Failure | undefined {
  switch (evidence.code ?? evidence.prismaCode) {
    case '23505':
    case 'P2002':
      return { kind: 'unique', fields: fields(evidence) }
    case '23503':
    case '23001': // RESTRICT, since Postgres 18
    case 'P2003':
      return {
        kind: 'foreign-key',
        field: fields(evidence)[0],
        side: /^update or delete on table/.test(evidence.message) ? 'referenced' : 'missing',
      }
    case '23514':
    case 'P2004':
      return { kind: 'check', fields: fields(evidence), constraint: evidence.constraint }
    case '23502':
    case '22001':
    case '22003':
    case '22P02':
    case '22P05':
    case '22021':
    case '22007':
    case '22008':
    case 'P2000':
    case 'P2011':
    case 'P2020':
      return { kind: 'invalid', field: fields(evidence)[0] }
    case 'P2025':
      return { kind: 'not-found' }
    case '40001':
    case '40P01':
    case 'P2034':
      return { kind: 'conflict' }
    default:
      return undefined
  }
}

function ofAvailability({ code, prismaCode, message }: Evidence): Failure | undefined {
  const known =
    (code !== undefined && (unavailable.has(code) || code.startsWith('08'))) ||
    (prismaCode !== undefined && unavailableInPrisma.has(prismaCode)) ||
    unavailableMessages.test(message)
  return known ? { kind: 'unavailable', reason: message || code || prismaCode || 'no answer' } : undefined
}

function fields({ columns, constraint }: Evidence): string[] {
  return columns.length > 0 ? columns.map(fieldOf) : fieldsOfConstraint(constraint ?? '')
}
