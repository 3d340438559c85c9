import { describe, expect, test } from 'vitest'

import { bytesCodec, chooseCodec, jsonCodec, msgpackCodec } from '../src/l2/codec.js'

describe('codecs', () => {
  test.each([
    ['json', jsonCodec, [null, 0, '', false, { a: [1, 'ü'] }]],
    ['msgpack', msgpackCodec(), [null, 0, '', false, { at: new Date(5) }, new Set([1])]],
    ['bytes', bytesCodec, [null, Buffer.alloc(0), Buffer.from([0, 1, 2])]],
  ])('%s: what is encoded comes back', (_name, codec, values) => {
    for (const value of values) expect(codec.decode(codec.encode(value))).toEqual(value)
  })

  test('bytes are copied out of the reply that they came in', () => {
    const reply = bytesCodec.encode(Buffer.from('abc'))
    const value = bytesCodec.decode(reply)
    reply.fill(0)
    expect(value).toEqual(Buffer.from('abc'))
  })

  test('a codec of one`s own may not take an id of ours', () => {
    expect(() => chooseCodec({ ...jsonCodec, id: 3 })).toThrow(/codec: id 3/)
    expect(chooseCodec({ ...jsonCodec, id: 16 }).id).toBe(16)
  })
})
