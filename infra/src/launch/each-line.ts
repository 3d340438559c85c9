import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** Hands on a stream's lines, one at a time, until it ends. */
export function eachLine(stream: Readable, take: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', take)
}
