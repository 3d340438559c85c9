import type { Socket } from 'node:net'
import { STATUS_CODES } from 'node:http'
import { Problem } from '../problems/problem.js'
import type { ProblemKind } from '../problems/problem-types.js'

const KINDS: Readonly<Record<string, ProblemKind>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
}

/**
 * Answers bytes that the parser could not read as a request. There is no request and no response object, so the
 * answer is written by hand. On a connection that still owes an answer to an earlier request it would be taken for
 * that answer: such a connection is cut.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket, isBusy: boolean): void {
  if (isBusy || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const problem = new Problem(KINDS[error.code ?? ''] ?? 'malformed-request')
  const body = JSON.stringify(problem.toDocument())
  const head = [
    `HTTP/1.1 ${String(problem.status)} ${STATUS_CODES[problem.status] ?? ''}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
