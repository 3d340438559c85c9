import type { Say } from '../stores/store.js'

/** pino's number for `error`; `fatal` is above. */
const ERROR_LEVEL = 50
const MAX_SURFACED = 20

/**
 * Lifts errors out of a service's log onto the screen, one line each; after twenty it only points at the file, because
 * a store that is away makes many.
 */
export function surfaceErrors(service: string, logFile: string, say: Say): (line: string) => void {
  let surfaced = 0
  return (line) => {
    if (surfaced > MAX_SURFACED || !line.startsWith('{')) return
    const entry = parse(line)
    if (!entry || entry.level < ERROR_LEVEL) return
    surfaced++
    say(surfaced > MAX_SURFACED ? `${service}: more errors in ${logFile}` : `${service}: ${wordsOf(entry)}`)
  }
}

interface LogEntry {
  readonly level: number
  readonly msg?: string
  readonly err?: { readonly message?: string }
}

function parse(line: string): LogEntry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<LogEntry>
    return typeof entry.level === 'number' ? (entry as LogEntry) : undefined
  } catch {
    return undefined
  }
}

function wordsOf({ msg, err }: LogEntry): string {
  const why = err?.message
  return why === undefined || why === msg ? (msg ?? 'error') : `${msg ?? 'error'}: ${why}`
}
