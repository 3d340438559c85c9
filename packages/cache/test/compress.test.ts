import { deflateRawSync } from 'node:zlib'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Compressor, maxRawBytes } from '../src/l2/compress.js'

const all = new Compressor({ minBytes: 0 })
const none = new Compressor(undefined)
const text = (bytes: number): Buffer => Buffer.alloc(bytes, 'the tide comes in, the tide goes out; ')
const noise = (bytes: number): Buffer => {
  const out = Buffer.alloc(bytes)
  for (let i = 0, seed = 1; i < bytes; i++) out[i] = (seed = (seed * 48_271) % 0x7fffffff) & 0xff
  return out
}
const thrown = async (run: () => unknown): Promise<unknown> => {
  try {
    return await run()
  } catch (error) {
    return error
  }
}

describe('compression', () => {
  test.each([[1], [1_000], [16_384], [16_385], [65_536], [65_537], [300_000]])(
    'what is compressed comes back: %i bytes',
    async (bytes) => {
      const payload = text(bytes)
      const deflated = await all.deflate(payload)
      if (bytes === 1) expect(deflated).toBeUndefined()
      else expect(payload.equals(await none.inflate(deflated!, bytes))).toBe(true)
    },
  )

  test('a small payload is done at once, a large one off the event loop', async () => {
    expect(Buffer.isBuffer(all.deflate(text(16_384)))).toBe(true)
    const large = all.deflate(text(100_000))
    expect(large).toBeInstanceOf(Promise)
    const inflating = all.inflate((await large)!, 100_000)
    expect(inflating).toBeInstanceOf(Promise)
    await inflating
  })

  test('past so many at a time a payload is stored as it is, and what was read is inflated here', async () => {
    const compressor = new Compressor({ minBytes: 0 })
    const deflated = (await compressor.deflate(text(100_000)))!
    const running = Array.from({ length: 32 }, () => compressor.deflate(text(20_000)))
    expect(compressor.deflate(text(20_000))).toBeUndefined()
    expect(text(100_000).equals(compressor.inflate(deflated, 100_000) as Buffer)).toBe(true)
    await Promise.all(running)
    await compressor.deflate(text(20_000))
    expect(compressor.deflate(text(20_000))).toBeInstanceOf(Promise)
  })

  test('a payload below the least size, or that does not get smaller, is stored as it is', async () => {
    expect(new Compressor({}).deflate(text(1_023))).toBeUndefined()
    expect(new Compressor({}).deflate(text(1_024))).toBeDefined()
    expect(none.deflate(text(10_000))).toBeUndefined()
    for (const bytes of [0, 1, 1_000, 50_000]) expect(await all.deflate(noise(bytes))).toBeUndefined()
  })

  test('a payload larger than could be read again is stored as it is', () => {
    expect(all.deflate(Buffer.alloc(maxRawBytes + 1))).toBeUndefined()
  })

  test('a bomb is stopped at the length that its head says', async () => {
    const bomb = deflateRawSync(Buffer.alloc(8_000_000))
    for (const said of [8_000, 100_000])
      expect(await thrown(() => all.inflate(bomb, said))).toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' })
  })

  test('a head that says more than is allowed, or than these bytes can hold, sets no memory aside', async () => {
    const bomb = deflateRawSync(Buffer.alloc(maxRawBytes + 1))
    expect(await thrown(() => all.inflate(bomb, maxRawBytes + 1))).toMatchObject({
      message: expect.stringContaining('cannot have been compressed') as string,
    })
    expect(await thrown(() => all.inflate(Buffer.from('abc'), 30_000_000))).toMatchObject({
      message: expect.stringContaining('cannot have been compressed') as string,
    })
  })

  test('what deflate does at best is not refused', async () => {
    const zeros = Buffer.alloc(4_000_000)
    expect(zeros.equals(await all.inflate(deflateRawSync(zeros, { level: 9 }), zeros.length))).toBe(true)
  })

  test('anything else than what was written ends in an error', async () => {
    const payload = text(5_000)
    const deflated = all.deflate(payload) as Buffer
    for (const said of [0, 4_999, 5_001])
      expect(await thrown(() => all.inflate(deflated, said))).toBeInstanceOf(Error)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 200_000 }), async (bytes, said) => {
        const read = await thrown(() => all.inflate(Buffer.from(bytes), said))
        expect(read instanceof Error || (read as Buffer).length === said).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    [{ minBytes: -1 }, /compress\.minBytes: -1/],
    [{ minBytes: 1.5 }, /compress\.minBytes/],
    [{ level: 0 }, /compress\.level: 0/],
    [{ level: 10 }, /compress\.level: 10/],
  ])('an option that makes no sense is named: %o', (options, message) => {
    expect(() => new Compressor(options)).toThrow(message)
  })
})
