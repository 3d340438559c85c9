import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import xz from 'xz-decompress'
import { randomFrom } from './random.js'

/** Pages in the order in which they were asked for. */
export type Trace = readonly number[]

const bytesPerRequest = 4

/**
 * Reads a trace: one 4-byte big-endian integer for each request, the page's number from 0; xz-compressed where the
 * name ends in `.xz`. Throws with the path where the file is missing or is not such a trace.
 */
export async function readTrace(path: string): Promise<Trace> {
  const raw = await readFile(path)
  const bytes = path.endsWith('.xz') ? await unpack(raw) : raw
  if (bytes.length === 0 || bytes.length % bytesPerRequest !== 0)
    throw new Error(`${path}: ${bytes.length} bytes are not a trace of 4-byte page numbers`)
  return Array.from({ length: bytes.length / bytesPerRequest }, (_, i) =>
    bytes.readUInt32BE(i * bytesPerRequest),
  )
}

function unpack(raw: Buffer): Promise<Buffer> {
  const source = Readable.toWeb(Readable.from([raw])) as ReadableStream<Uint8Array>
  return buffer(new xz.XzReadableStream(source))
}

/** A made-up trace: page k is asked for with a frequency of 1 / (k + 1)^0.99, as web caches see it. */
export function zipfTrace({ requests = 100_000, pages = 15_000, seed = 1 } = {}): Trace {
  const random = randomFrom(seed)
  const cumulative: number[] = []
  let total = 0
  for (let page = 0; page < pages; page++) cumulative.push((total += 1 / (page + 1) ** 0.99))
  return Array.from({ length: requests }, () => firstAtLeast(cumulative, random() * total))
}

function firstAtLeast(sorted: readonly number[], wanted: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}

/** Pages as product ids from 1, in the order of their first request, folded onto the products there are. */
export function toProductIds(trace: Trace, products: number): Trace {
  const ids = new Map<number, number>()
  return trace.map((page) => {
    const known = ids.get(page)
    if (known !== undefined) return known
    const id = (ids.size % products) + 1
    ids.set(page, id)
    return id
  })
}
