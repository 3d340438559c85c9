/**
 * One checkpoint as bytes.
 *
 *   head    41 bytes of text, so that a script can order two checkpoints: magic and format version, term, position
 *   crc     4 bytes, of everything after it and of the head
 *   fields  f64 mark, f64 nonce, u32 buckets, u32 hash seed, f64 base, f64 origin
 *   table   the tide table's words, little-endian, deflated at level 1; zlib's own check sum covers them
 *
 * Whatever the bytes are, decoding ends in a snapshot or a reason: it inflates no more than the table's size, and nothing
 * of it is used before all of it has been checked.
 */

import { promisify } from 'node:util'
import { crc32, deflate, inflate } from 'node:zlib'

import type { FollowerSnapshot } from '@tidemark/tide'

export const magic = 'TIDEMARK-CP1 '
export const headLength = magic.length + 10 + 1 + 16 + 1

const fieldsAt = headLength + 4
export const nonceAt = fieldsAt + 8
const tableAt = fieldsAt + 40
const bytesPerBucket = 64
const wordsPerBucket = 16

const deflated = promisify<Uint8Array, { level: number }, Buffer>(deflate)
const inflated = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate)

export type DecodedCheckpoint =
  | { readonly kind: 'snapshot'; readonly snapshot: FollowerSnapshot }
  | { readonly kind: 'refused'; readonly reason: string }

export interface ExpectedLayout {
  readonly buckets: number
  /** Left out: any, the follower takes the checkpoint's. */
  readonly seed?: number | undefined
}

export async function encodeCheckpoint({ epoch, link, table }: FollowerSnapshot): Promise<Buffer> {
  const body = await deflated(littleEndian(table.words), { level: 1 })
  const bytes = Buffer.alloc(tableAt + body.length)
  bytes.write(`${magic}${digits(epoch.term, 10)} ${digits(link.position, 16)}\n`, 'latin1')
  let at = fieldsAt
  at = bytes.writeDoubleLE(link.mark, at)
  at = bytes.writeDoubleLE(epoch.nonce, at)
  at = bytes.writeUInt32LE(table.buckets, at)
  at = bytes.writeUInt32LE(table.seed >>> 0, at)
  at = bytes.writeDoubleLE(table.base, at)
  bytes.writeDoubleLE(table.origin, at)
  body.copy(bytes, tableAt)
  bytes.writeUInt32LE(checksum(bytes), headLength)
  return bytes
}

export async function decodeCheckpoint(bytes: Buffer, expected: ExpectedLayout): Promise<DecodedCheckpoint> {
  if (bytes.length < tableAt) return refused(`only ${bytes.length} bytes long`)
  const head = bytes.toString('latin1', 0, headLength)
  const numbers = /^(\d{10}) (\d{16})\n$/.exec(head.slice(magic.length))
  if (!head.startsWith(magic) || numbers === null) return refused('of another format or version')
  if (bytes.readUInt32LE(headLength) !== checksum(bytes)) return refused('damaged: the check sum differs')

  const epoch = { term: Number(numbers[1]), nonce: bytes.readDoubleLE(nonceAt) }
  const link = { position: Number(numbers[2]), mark: bytes.readDoubleLE(fieldsAt) }
  const buckets = bytes.readUInt32LE(fieldsAt + 16)
  const seed = bytes.readUInt32LE(fieldsAt + 20)
  const base = bytes.readDoubleLE(fieldsAt + 24)
  const origin = bytes.readDoubleLE(fieldsAt + 32)
  if (buckets !== expected.buckets) return refused(`laid out in ${buckets} buckets, not ${expected.buckets}`)
  if (expected.seed !== undefined && seed !== expected.seed >>> 0) return refused('hashed with another seed')
  const integers = [epoch.nonce, link.position, link.mark, base, origin]
  if (!integers.every((value) => Number.isSafeInteger(value) && value >= 0))
    return refused('a field is no integer')
  if (base > link.position || origin > link.position) return refused('its base lies past its own position')

  const table = await inflateTable(bytes.subarray(tableAt), buckets)
  if (table === undefined) return refused('its table cannot be inflated within its size')
  if (table.length !== buckets * bytesPerBucket) return refused('its table is too short')
  const words = new Uint32Array(buckets * wordsPerBucket)
  new Uint8Array(words.buffer).set(littleEndian(table))
  return { kind: 'snapshot', snapshot: { epoch, link, table: { buckets, seed, base, origin, words } } }
}

async function inflateTable(body: Buffer, buckets: number): Promise<Buffer | undefined> {
  try {
    return await inflated(body, { maxOutputLength: buckets * bytesPerBucket })
  } catch {
    return undefined
  }
}

/** The bytes of `words`, or the other way round: themselves, unless this machine is big-endian. */
function littleEndian(words: Uint32Array | Buffer): Uint8Array {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
  if (new Uint8Array(new Uint32Array([1]).buffer)[0] === 1) return bytes
  return Buffer.from(bytes).swap32()
}

const checksum = (bytes: Buffer): number =>
  crc32(bytes.subarray(fieldsAt), crc32(bytes.subarray(0, headLength)))

const digits = (value: number, width: number): string => String(value).padStart(width, '0')

const refused = (reason: string): DecodedCheckpoint => ({ kind: 'refused', reason })
