import { parseArgs } from 'node:util'

export interface SoakOptions {
  readonly minutes: number
  /** Changes a second, both writers together. */
  readonly changes: number
  /** Of them through the write service, 0 to 1. */
  readonly serviceShare: number
  /** Reads a second, over both readers. */
  readonly reads: number
  readonly seed: number
}

export const usage = `pnpm soak [options]

  Two readers, two invalidation services and the write service over stores of their own, while services are killed and
  Redis fails over. Judges every answer, and counts every change that a subscriber was not told of.

  --minutes N   (10)
  --changes N   a second (1000)
  --service S   share of the changes that go through the write service; the others are raw SQL (0.15)
  --reads N     a second (300)
  --seed N      of the made-up choices (1)`

/** @throws Error with one line that names the option */
export function readOptions(args: readonly string[]): SoakOptions {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: text, changes: text, service: text, reads: text, seed: text },
  })
  return {
    minutes: number('minutes', values.minutes ?? '10', 0.1, 10_000),
    changes: number('changes', values.changes ?? '1000', 1, 100_000),
    serviceShare: number('service', values.service ?? '0.15', 0, 1),
    reads: number('reads', values.reads ?? '300', 1, 100_000),
    seed: number('seed', values.seed ?? '1', 0, 2 ** 32),
  }
}

function number(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= min && value <= max) return value
  throw new Error(`--${name}: "${text}" is not a number from ${min} to ${max}`)
}
