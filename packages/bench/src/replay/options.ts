import { parseArgs } from 'node:util'

export interface ReplayOptions {
  /** Undefined: a made-up one. */
  readonly trace: string | undefined
  readonly requests: number | undefined
  readonly clients: number
  readonly readers: number
  readonly writeShare: number
  readonly sessionShare: number
  readonly strictShare: number
  readonly seed: number
  readonly maxLagMs: number
  /** A running house instead of one of its own. */
  readonly at:
    { readonly database: string; readonly write: string; readonly readers: readonly string[] } | undefined
}

export const usage = `pnpm replay [trace[.xz]] [options]

  A trace is one 4-byte big-endian page number for each request. Without one, a zipf trace is made up.

  --requests N     only the first N
  --clients N      clients at once (16)
  --readers N      read services to start (2)
  --writes SHARE   share of requests preceded by a write (0.03); half through the service, half raw SQL
  --session SHARE  share of reads at level session (0.2)
  --strict SHARE   share of reads at level strict (0.05)
  --max-lag MS     what bounded promises (2000)
  --seed N         of the made-up choices (1)
  --read URL (repeatable) --write URL --database URL
                   drive services that run already`

/** @throws Error with one line that names the option */
export function readOptions(args: readonly string[]): ReplayOptions {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      requests: text,
      clients: text,
      readers: text,
      writes: text,
      session: text,
      strict: text,
      seed: text,
      'max-lag': text,
      read: { type: 'string', multiple: true },
      write: text,
      database: text,
    },
  })
  if (positionals.length > 1) throw new Error(`one trace at a time, not ${positionals.join(', ')}`)
  const { read, write, database } = values
  const given = [read, write, database].filter((value) => value !== undefined).length
  if (given !== 0 && given !== 3) throw new Error('--read, --write and --database go together')
  return {
    trace: positionals[0],
    requests: values.requests === undefined ? undefined : number('requests', values.requests, 1, 1e9),
    clients: number('clients', values.clients ?? '16', 1, 1_000),
    readers: number('readers', values.readers ?? '2', 1, 16),
    writeShare: number('writes', values.writes ?? '0.03', 0, 1),
    sessionShare: number('session', values.session ?? '0.2', 0, 1),
    strictShare: number('strict', values.strict ?? '0.05', 0, 1),
    seed: number('seed', values.seed ?? '1', 0, 2 ** 32),
    maxLagMs: number('max-lag', values['max-lag'] ?? '2000', 1, 1e6),
    at: read && write && database ? { database, write, readers: read } : undefined,
  }
}

function number(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= min && value <= max) return value
  throw new Error(`--${name}: "${text}" is not a number from ${min} to ${max}`)
}
