import { pino, stdSerializers, stdTimeFunctions, type DestinationStream, type Level, type Logger } from 'pino'
import { redactText } from '../redact.js'

export type { Logger } from 'pino'

export interface LoggerOptions {
  /** The service's name; stands on every line. */
  readonly name: string
  readonly level: Level | 'silent'
  /** Standard output when left out. */
  readonly destination?: DestinationStream
}

const SECRET_HEADERS = ['authorization', 'cookie', '["set-cookie"]', '["proxy-authorization"]']
const SECRET_PATHS = [
  ...['', 'headers', 'req.headers', 'res.headers', 'request.headers', 'response.headers'].flatMap((parent) =>
    SECRET_HEADERS.map((header) => join(parent, header)),
  ),
  'password',
  '*.password',
]

function join(parent: string, key: string): string {
  return parent === '' || key.startsWith('[') ? `${parent}${key}` : `${parent}.${key}`
}

/**
 * JSON lines on standard output. Secrets are removed twice: header and password fields by name, and passwords inside
 * any text (messages, stacks, causes) just before the line is written.
 */
export function createLogger({ name, level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service: name, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: stdSerializers.errWithCause },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    hooks: { streamWrite: redactText },
  }
  // Written synchronously: otherwise the last lines before an exit overtake each other or are lost.
  return pino(options, destination ?? pino.destination({ dest: 1, sync: true }))
}
