/**
 * What a value costs on its way to Redis and back: `tsx --conditions tidemark:source packages/cache/test/speed-bytes.ts`.
 * Codecs are timed beside plain msgpackr, in turns, so that a busy machine weighs on both; zlib on lists of products.
 */

import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateRawSync,
  inflateRawSync,
} from 'node:zlib'

import { Packr } from 'msgpackr'

import { Compressor } from '../src/l2/compress.js'
import { Keyring } from '../src/l2/encrypt.js'
import { jsonCodec } from '../src/l2/json-codec.js'
import { keyNames } from '../src/l2/key-names.js'
import { msgpackCodec } from '../src/l2/msgpack-codec.js'
import { Wrapper } from '../src/l2/wrapper.js'
import { goldenHead } from './golden/cases.js'

type Run = () => unknown

const median = (all: number[]): number => all.sort((a, b) => a - b)[all.length >> 1]!
const onceUs = (run: Run, calls: number): number => {
  const began = performance.now()
  for (let i = 0; i < calls; i++) run()
  return ((performance.now() - began) / calls) * 1_000
}

function compare(name: string, base: Run, ours: Run): void {
  for (let i = 0; i < 50; i++) for (const run of [base, ours]) onceUs(run, 100)
  const pairs = Array.from({ length: 200 }, () => [onceUs(base, 100), onceUs(ours, 100)] as const)
  const [a, b, ratio] = [pairs.map(([x]) => x), pairs.map(([, y]) => y), pairs.map(([x, y]) => y / x)]
  console.log(
    `${name.padEnd(44)} ${median(a).toFixed(2)} -> ${median(b).toFixed(2)} µs, ratio ${median(ratio).toFixed(2)}`,
  )
}

let seed = 7
const random = (below: number): number => (seed = (seed * 48_271) % 0x7fffffff) % below
const words =
  'the of and to in is for on with product order customer price stock warehouse colour size weight material review rating shipping invoice account keyboard cable adapter wireless battery screen memory network camera lens speaker garden table chair lamp kitchen cotton leather steel plastic glass'.split(
    ' ',
  )
const text = (count: number): string =>
  Array.from({ length: count }, () => words[random(words.length)]).join(' ')
const hex = (count: number): string => Array.from({ length: count }, () => random(16).toString(16)).join('')
const product = () => ({
  id: random(1e6),
  sku: `SKU-${hex(8)}`,
  name: text(5),
  description: text(40),
  priceCents: random(1e5),
  rating: random(500) / 100,
  inStock: random(2) === 1,
  note: null,
  createdAt: new Date(1.6e12 + random(1e9)),
  tags: [text(1), text(1), text(1)],
  brand: { id: random(100), name: text(2), site: `https://example.com/${hex(12)}` },
  etag: hex(32),
})

const packr = new Packr({ useRecords: false, moreTypes: true })
const msgpack = msgpackCodec()
const one = { ...product(), more: text(40) }
const kinds: [string, unknown][] = [
  ['1 KB object', one],
  ['1 KB object with a Map and a Set', { ...one, map: new Map([['a', 1]]), set: new Set([1, 2, 3]) }],
]
for (const [name, value] of kinds) {
  const [plain, ours] = [Buffer.from(packr.pack(value)), Buffer.from(msgpack.encode(value))]
  compare(
    `msgpackr -> codec: encode a ${name}`,
    () => packr.pack(value),
    () => msgpack.encode(value),
  )
  compare(
    `msgpackr -> codec: decode it`,
    () => packr.unpack(plain),
    () => msgpack.decode(ours),
  )
}
const json: unknown = JSON.parse(JSON.stringify(one))
compare(
  'JSON -> json codec: encode',
  () => Buffer.from(JSON.stringify(json)),
  () => jsonCodec.encode(json),
)

const envelope = { ...goldenHead, codecId: 4, payload: Buffer.from(msgpack.encode(one)) }
const clear = new Wrapper(new Compressor(undefined), undefined)
const locked = new Wrapper(new Compressor(undefined), new Keyring([{ id: 'k', key: Buffer.alloc(32, 1) }]))
const [open, shut] = [clear, locked].map((wrapper) => wrapper.wrap('key', envelope) as Buffer)
compare(
  'in the clear -> locked: wrap',
  () => clear.wrap('key', envelope),
  () => locked.wrap('key', envelope),
)
compare(
  'in the clear -> locked: unwrap',
  () => clear.unwrap('key', open!),
  () => locked.unwrap('key', shut!),
)
const [plainName, hashedName] = [keyNames('n'), keyNames('n', Buffer.alloc(32, 1))]
compare(
  'a name -> its HMAC',
  () => plainName('user:42'),
  () => hashedName('user:42'),
)

const quality = (level: number) => ({ params: { [constants.BROTLI_PARAM_QUALITY]: level } })
const methods: [string, (raw: Buffer) => Buffer, (bytes: Buffer) => Buffer][] = [
  ...[1, 3, 6].map((level): (typeof methods)[number] => [
    `deflate ${level}`,
    (raw) => deflateRawSync(raw, { level, chunkSize: Math.max(64, raw.length) }),
    (bytes) => inflateRawSync(bytes),
  ]),
  ...[1, 4].map((level): (typeof methods)[number] => [
    `brotli ${level}`,
    (raw) => brotliCompressSync(raw, quality(level)),
    (bytes) => brotliDecompressSync(bytes),
  ]),
]
for (const products of [2, 8, 32, 128, 200]) {
  const raw = Buffer.from(msgpack.encode(Array.from({ length: products }, product)))
  for (const [name, compress, expand] of methods) {
    const bytes = compress(raw)
    const times = [() => compress(raw), () => expand(bytes)].map((run) =>
      median(Array.from({ length: 30 }, () => onceUs(run, 10))),
    )
    const percent = ((100 * bytes.length) / raw.length).toFixed(0)
    console.log(
      `${raw.length} bytes, ${name}: ${percent} %, ${times.map((us) => us.toFixed(0)).join(' / ')} µs`,
    )
  }
}
