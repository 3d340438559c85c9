/**
 * How a value lies in Redis: envelope v1.
 *
 * | at | bytes | |
 * |---|---|---|
 * | 0 | 2 | magic `TM` |
 * | 2 | 1 | version, 1 |
 * | 3 | 1 | flags: 1 compressed, 2 encrypted, 4 with a validator; an envelope with an unknown flag is not read |
 * | 4 | 4 | term \ |
 * | 8 | 8 | tidemark / big-endian and side by side: the store script compares them |
 * | 16 | 6 | nonce |
 * | 22 | 1 | codec id |
 * | 23 | 1 | length of the key id; 0 where it is not encrypted |
 * | 24 | 6 | loadedAt, wall ms |
 * | 30 | 6 | expiresAt, wall ms |
 * | 36 | 6 | staleUntil, wall ms |
 * | 42 | 4 | load cost, µs |
 * | 46 | 2 | number of tags |
 * | 48 | 4 | bytes of all tags together, UTF-8 |
 * | 52 | 4 | bytes of the payload, as it lies here |
 * | 56 | 2 each | length of each tag, UTF-16 units |
 * | … | | tags, one after the other |
 * | … | | key id, ASCII, where it is encrypted |
 * | … | 4 | bytes of the payload before it was compressed, where it was |
 * | … | 2, then so many | bytes of the validator, and it, UTF-8, where there is one |
 * | … | | payload |
 *
 * All before the payload is the head: it is in the clear, whatever the flags say, since tags and times are read before
 * the value is wanted, and it is authenticated where the payload is encrypted (see encrypt.ts).
 *
 * The tags are one text so that one call decodes them all. What is read is untrusted: whatever the bytes, `decode`
 * gives an envelope whose every field is in range, or undefined. Only an encrypted one guards against someone who can
 * write to Redis and means harm.
 */

import type { Stamp } from '@tidemark/tide'

import { isWhole } from './whole-text.js'

export interface Envelope {
  readonly stamp: Stamp
  readonly codecId: number
  readonly loadedAtMs: number
  readonly expiresAtMs: number
  readonly staleUntilMs: number
  readonly loadCostMs: number
  readonly tags: readonly string[]
  /** For a conditional request to the origin. */
  readonly validator?: string | undefined
  /** A view into the reply that it came in: a codec must not keep it. */
  readonly payload: Buffer
}

/** What has been done to a payload: compressed from so many bytes, then encrypted with the key of this id. */
export interface Wrapping {
  readonly rawBytes?: number | undefined
  readonly keyId?: string | undefined
}

/** As it lies in Redis: its payload still wrapped. */
export interface StoredEnvelope extends Envelope, Wrapping {
  /** Empty where it is not encrypted: nobody asks. */
  readonly head: Buffer
}

const magic = 0x544d
const version = 1
const headerBytes = 56
const maxUint16 = 0xffff
const maxUint32 = 0xffffffff
const maxUint48 = 2 ** 48 - 1

const noHead = Buffer.alloc(0)

const compressed = 1
const encrypted = 2
const validated = 4
const knownFlags = compressed | encrypted | validated

/**
 * Undefined where it does not fit the format: too many tags, a tag or a validator of more than 65,535 units, or tags that
 * UTF-8 cannot say: whoever reads a tag as another one does not see it touched.
 */
export function encodeEnvelope(envelope: Envelope, wrapping: Wrapping = {}): Buffer | undefined {
  const laid = layOut(envelope, envelope.payload.length, wrapping)
  laid?.payload.set(envelope.payload)
  return laid?.bytes
}

/** As `encodeEnvelope`, all but the payload, for which `payloadBytes` are left free. */
export function layOut(
  envelope: Omit<Envelope, 'payload'>,
  payloadBytes: number,
  { rawBytes, keyId = '' }: Wrapping,
): { readonly bytes: Buffer; readonly head: Buffer; readonly payload: Buffer } | undefined {
  const { stamp, tags, validator } = envelope
  if (tags.length > maxUint16 || tags.some((tag) => tag.length > maxUint16)) return undefined
  const text = tags.join('')
  if (!isWhole(text)) return undefined
  const textBytes = Buffer.byteLength(text)
  const tagsAt = headerBytes + 2 * tags.length
  const keyIdAt = tagsAt + textBytes
  const rawBytesAt = keyIdAt + keyId.length
  const validatorAt = rawBytesAt + (rawBytes === undefined ? 0 : 4)
  const validatorBytes = validator === undefined ? 0 : Buffer.byteLength(validator)
  if (validatorBytes > maxUint16) return undefined
  const payloadAt = validatorAt + (validator === undefined ? 0 : 2 + validatorBytes)
  const bytes = Buffer.allocUnsafe(payloadAt + payloadBytes)
  bytes.writeUInt16BE(magic, 0)
  bytes[2] = version
  bytes[3] =
    (rawBytes === undefined ? 0 : compressed) |
    (keyId === '' ? 0 : encrypted) |
    (validator === undefined ? 0 : validated)
  bytes.writeUInt32BE(stamp.epoch.term, 4)
  bytes.writeUInt32BE(Math.floor(stamp.tidemark / 2 ** 32), 8)
  bytes.writeUInt32BE(stamp.tidemark % 2 ** 32, 12)
  bytes.writeUIntBE(stamp.epoch.nonce, 16, 6)
  bytes[22] = envelope.codecId
  bytes[23] = keyId.length
  bytes.writeUIntBE(wallMs(envelope.loadedAtMs), 24, 6)
  bytes.writeUIntBE(wallMs(envelope.expiresAtMs), 30, 6)
  bytes.writeUIntBE(wallMs(envelope.staleUntilMs), 36, 6)
  bytes.writeUInt32BE(Math.min(maxUint32, Math.round(envelope.loadCostMs * 1_000)), 42)
  bytes.writeUInt16BE(tags.length, 46)
  bytes.writeUInt32BE(textBytes, 48)
  bytes.writeUInt32BE(payloadBytes, 52)
  for (let i = 0; i < tags.length; i++) bytes.writeUInt16BE(tags[i]!.length, headerBytes + 2 * i)
  bytes.write(text, tagsAt, 'utf8')
  bytes.write(keyId, keyIdAt, 'latin1')
  if (rawBytes !== undefined) bytes.writeUInt32BE(rawBytes, rawBytesAt)
  if (validator !== undefined) {
    bytes.writeUInt16BE(validatorBytes, validatorAt)
    bytes.write(validator, validatorAt + 2, 'utf8')
  }
  return { bytes, head: bytes.subarray(0, payloadAt), payload: bytes.subarray(payloadAt) }
}

/**
 * `expectedTags`: what the caller thinks its tags are. Where they are, that very list stands in the envelope, and none is
 * decoded.
 */
export function decodeEnvelope(
  bytes: Buffer,
  expectedTags: readonly string[] = noTags,
): StoredEnvelope | undefined {
  if (bytes.length < headerBytes || uint16(bytes, 0) !== magic || bytes[2] !== version) return undefined
  const flags = bytes[3]!
  const keyIdBytes = bytes[23]!
  if (flags > knownFlags || (flags & encrypted) > 0 !== keyIdBytes > 0) return undefined
  const tidemark = uint32(bytes, 8) * 2 ** 32 + uint32(bytes, 12)
  if (tidemark > Number.MAX_SAFE_INTEGER) return undefined
  const tagCount = uint16(bytes, 46)
  const tagsAt = headerBytes + 2 * tagCount
  const keyIdAt = tagsAt + uint32(bytes, 48)
  const rawBytesAt = keyIdAt + keyIdBytes
  const validatorAt = rawBytesAt + ((flags & compressed) > 0 ? 4 : 0)
  const hasValidator = (flags & validated) > 0
  if (hasValidator && validatorAt + 2 > bytes.length) return undefined
  const payloadAt = validatorAt + (hasValidator ? 2 + uint16(bytes, validatorAt) : 0)
  if (payloadAt + uint32(bytes, 52) !== bytes.length) return undefined
  const tags = areTags(bytes, expectedTags, tagCount, keyIdAt)
    ? expectedTags
    : decodeTags(bytes, tagCount, tagsAt, keyIdAt)
  if (tags === undefined) return undefined
  return {
    stamp: { epoch: { term: uint32(bytes, 4), nonce: uint48(bytes, 16) }, tidemark },
    codecId: bytes[22]!,
    loadedAtMs: uint48(bytes, 24),
    expiresAtMs: uint48(bytes, 30),
    staleUntilMs: uint48(bytes, 36),
    loadCostMs: uint32(bytes, 42) / 1_000,
    tags,
    validator: hasValidator ? bytes.toString('utf8', validatorAt + 2, payloadAt) : undefined,
    rawBytes: validatorAt > rawBytesAt ? uint32(bytes, rawBytesAt) : undefined,
    keyId: keyIdBytes > 0 ? bytes.toString('latin1', keyIdAt, rawBytesAt) : undefined,
    head: keyIdBytes > 0 ? bytes.subarray(0, payloadAt) : noHead,
    payload: bytes.subarray(payloadAt),
  }
}

const noTags: readonly string[] = []

/** Of ASCII alone; for others the answer is false, and they are decoded. */
function areTags(bytes: Buffer, tags: readonly string[], count: number, to: number): boolean {
  if (tags.length !== count) return false
  let at = headerBytes + 2 * count
  for (let i = 0; i < count; i++) {
    const tag = tags[i]!
    if (uint16(bytes, headerBytes + 2 * i) !== tag.length || at + tag.length > to) return false
    for (let k = 0; k < tag.length; k++, at++) {
      const unit = tag.charCodeAt(k)
      if (unit !== bytes[at] || unit > lastAscii) return false
    }
  }
  return at === to
}

const lastAscii = 0x7f

function decodeTags(bytes: Buffer, count: number, from: number, to: number): string[] | undefined {
  const text = bytes.toString('utf8', from, to)
  const tags: string[] = []
  let at = 0
  for (let i = 0; i < count; i++) {
    const end = at + uint16(bytes, headerBytes + 2 * i)
    tags.push(text.slice(at, end))
    at = end
  }
  return at === text.length ? tags : undefined
}

// Buffer's own methods check what is checked here already, and its 48-bit one takes any width: half of what a read costs.
const uint16 = (bytes: Buffer, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!
const uint32 = (bytes: Buffer, at: number): number => uint16(bytes, at) * 2 ** 16 + uint16(bytes, at + 2)
const uint48 = (bytes: Buffer, at: number): number => uint16(bytes, at) * 2 ** 32 + uint32(bytes, at + 2)

const wallMs = (ms: number): number => Math.min(maxUint48, Math.max(0, Math.round(ms)))
