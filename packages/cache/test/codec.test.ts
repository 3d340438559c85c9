import { deepStrictEqual } from 'node:assert'
import { isDeepStrictEqual } from 'node:util'

import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'

import { bytesCodec } from '../src/l2/bytes-codec.js'
import { chooseCodec } from '../src/l2/choose-codec.js'
import { jsonCodec } from '../src/l2/json-codec.js'
import { msgpackCodec } from '../src/l2/msgpack-codec.js'

const msgpack = msgpackCodec()
const roundTrip = (value: unknown): unknown => msgpack.decode(Buffer.from(msgpack.encode(value)))

/** Halves of surrogate pairs, names that JavaScript treats specially, and the like are all among them. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud800', 'a\udfff'.repeat(40)),
)
const name = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'hasOwnProperty', 'toJSON', 'length'))
const bytes = fc.uint8Array({ maxLength: 40 })
const few = { maxLength: 5 }
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(
      text,
      fc.constantFrom(
        null,
        undefined,
        true,
        false,
        0,
        -0,
        '',
        NaN,
        Infinity,
        -Infinity,
        2 ** 32,
        2 ** 53,
        5e-324,
      ),
      fc.integer(),
      fc.double(),
      fc.bigInt(),
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      fc.bigInt({ min: -(2n ** 600n), max: 2n ** 600n }),
      fc.date({ noInvalidDate: true }),
      bytes,
      bytes.map((from) => Buffer.from(from)),
      bytes.map((from) => from.slice().buffer),
      bytes.map((from) => new DataView(from.buffer, from.length >> 1)),
      fc.float64Array({ maxLength: 5 }),
      fc.bigInt64Array({ maxLength: 5 }),
      fc.uint16Array({ maxLength: 5 }),
      fc.constantFrom(/a+/gi, /[\ud800]/u, new RegExp('')),
    ),
    fc.array(tie('value'), few),
    fc.array(tie('value'), few).map((items) => new Set(items)),
    fc.array(fc.tuple(tie('value'), tie('value')), few).map((pairs) => new Map(pairs)),
    // Defined, not assigned: `__proto__` is a name here.
    fc.array(fc.tuple(name, tie('value')), few).map((pairs) => Object.fromEntries(pairs)),
    fc.array(fc.tuple(name, tie('value')), few).map((pairs) => {
      const bare = Object.create(null) as object
      for (const [key, value] of pairs)
        Object.defineProperty(bare, key, { value, enumerable: true, writable: true, configurable: true })
      return bare
    }),
  ),
})).value

describe('msgpack gives back what went in', () => {
  test('whatever the value is made of', () => {
    fc.assert(
      fc.property(values, (value) => {
        // Unlike `expect` it bears a property called `constructor`; invalid Dates it calls different in Node 20.
        deepStrictEqual(roundTrip(value), value)
      }),
      { numRuns: 500 },
    )
  })

  test('of the same kind, down to the class, the sign of zero and the bytes', () => {
    expect(Object.is(roundTrip(-0), -0)).toBe(true)
    expect(Object.is((roundTrip([-0]) as number[])[0], -0)).toBe(true)
    expect(Buffer.isBuffer(roundTrip(Buffer.from('a')))).toBe(true)
    const plain = roundTrip({ bytes: new Uint8Array([1, 2]) }) as { bytes: Uint8Array }
    expect(Object.getPrototypeOf(plain.bytes)).toBe(Uint8Array.prototype)
    expect(Object.getPrototypeOf(roundTrip(Object.assign(Object.create(null), { a: 1 })))).toBe(null)
    expect((roundTrip(new Date(NaN)) as Date).getTime()).toBeNaN()
    const sticky = /a/y
    sticky.lastIndex = 3
    expect((roundTrip(sticky) as RegExp).lastIndex).toBe(3)
    expect('a' in (roundTrip({ a: undefined }) as object)).toBe(true)
    expect(
      roundTrip(new Map<unknown, unknown>([[{ a: 1 }, new Map([[NaN, new Set([-0n])]])]])),
    ).toStrictEqual(new Map<unknown, unknown>([[{ a: 1 }, new Map([[NaN, new Set([-0n])]])]]))
  })

  test('errors: class, name, message, cause and what was set on them, not the stack', () => {
    const cause = Object.assign(new RangeError('inner'), { code: 'E_RANGE' })
    const error = new TypeError('outer', { cause })
    error.name = 'OddName'
    const back = roundTrip({ error }) as { error: TypeError & { cause: typeof cause } }
    expect(back.error).toBeInstanceOf(TypeError)
    expect(back.error).toMatchObject({ name: 'OddName', message: 'outer' })
    expect(back.error.cause).toBeInstanceOf(RangeError)
    expect(back.error.cause).toMatchObject({ message: 'inner', code: 'E_RANGE' })
    expect(Object.keys(back.error.cause)).toEqual(['code'])
    expect(back.error.stack).toBe('OddName: outer')
    const many = roundTrip(new AggregateError([new Error('one')], 'many')) as AggregateError
    expect(many.errors).toEqual([new Error('one')])
  })

  test('`__proto__` is a name: nothing is polluted, and nothing is renamed', () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"isAdmin":true},"a":{"__proto__":null}}')
    const back = roundTrip(hostile) as Record<string, unknown>
    expect(JSON.stringify(back)).toBe('{"__proto__":{"isAdmin":true},"a":{"__proto__":null}}')
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(back['isAdmin']).toBeUndefined()
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
  })

  test('more properties, items and entries than 16 bits can count', () => {
    const many = Array.from({ length: 70_000 }, (_, i) => i)
    const object = Object.fromEntries(many.map((i) => [`p${i}`, i]))
    for (const value of [many, object, new Set(many), new Map(many.map((i) => [i, `${i}`]))])
      expect(isDeepStrictEqual(roundTrip(value), value)).toBe(true)
  })

  test('what is kept has left the reply that it came in', () => {
    const reply = Buffer.from(
      msgpack.encode({ buffer: Buffer.from('abc'), bytes: new Uint8Array([1, 2, 3]) }),
    )
    const value = msgpack.decode(reply)
    reply.fill(0)
    expect(value).toStrictEqual({ buffer: Buffer.from('abc'), bytes: new Uint8Array([1, 2, 3]) })
  })

  test('what was given is not changed by it', () => {
    const inner = new Map([['a', -0]])
    const value = { inner, list: [new Set([1])], at: -0 }
    roundTrip(value)
    expect(value).toStrictEqual({ inner: new Map([['a', -0]]), list: [new Set([1])], at: -0 })
    expect(value.inner).toBe(inner)
  })
})

class Money {
  cents = 5
}
const cycle: Record<string, unknown> = {}
cycle['self'] = { list: [new Map([['back', cycle]])] }
const holed = [1, 2]
delete holed[0]

describe('msgpack refuses what it could not give back', () => {
  test.each([
    ['a function', () => undefined],
    ['a symbol', Symbol('s')],
    ['an instance of a class', new Money()],
    ['an instance of a class that extends one of ours', new (class extends Map {})()],
    ['an error of another class', new (class extends Error {})('e')],
    ['a wrapped number', Object(1)],
    ['a promise', Promise.resolve(1)],
    ['a URL', new URL('http://a')],
    ['a cycle', cycle],
    ['a hole', holed],
  ])('%s', (_name, value) => {
    for (const whole of [
      value,
      { a: [value] },
      new Map([[value, 1]]),
      new Set([value]),
      new Error('e', { cause: value }),
    ])
      expect(() => msgpack.encode(whole)).toThrow(TypeError)
  })
})

describe('msgpack reads bytes of anybody`s', () => {
  test('whatever they are, it gives a value or throws, and leaves every prototype alone', () => {
    const before = Object.getOwnPropertyNames(Object.prototype)
    const read = (payload: Uint8Array): void => {
      try {
        msgpack.decode(Buffer.from(payload))
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), read), { numRuns: 1_000 })
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
        const payload = Buffer.from(msgpack.encode(value))
        payload[at % payload.length]! ^= flip
        read(payload)
        read(payload.subarray(0, at % payload.length))
      }),
      { numRuns: 300 },
    )
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
  })

  test('a record definition, for which msgpackr would generate code, is refused', () => {
    const records = new Packr({ useRecords: true, structures: undefined as never })
    const payload = Buffer.from(records.pack([{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }, { a: 5 }]))
    expect(() => msgpack.decode(payload)).toThrow()
  })

  test('pointers of structured clones, which make cycles, are refused', () => {
    const payload = Buffer.from(new Packr({ structuredClone: true, useRecords: false }).pack(cycle))
    expect(() => msgpack.decode(payload)).toThrow()
  })
})

describe('json', () => {
  test('a JSON value comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ noUnicodeString: false } as never).filter((value) => !/-0/.test(inspectZero(value))),
        (value) => {
          expect(jsonCodec.decode(jsonCodec.encode(value))).toStrictEqual(value)
        },
      ),
    )
  })

  test.each([
    ['a Date', new Date(5)],
    ['a Map', new Map()],
    ['a BigInt', 1n],
    ['NaN', NaN],
    ['-0', -0],
    ['undefined in a list', [undefined]],
    ['a function', () => 1],
    ['a Buffer', Buffer.from('a')],
    ['an instance of a class', new Money()],
    ['a bare object', Object.create(null) as object],
    ['a cycle', cycle],
  ])('what it would change is refused: %s', (_name, value) => {
    for (const whole of [value, { a: value }, [[value]]])
      expect(() => jsonCodec.encode(whole)).toThrow(TypeError)
  })

  test('a property without a value is left out', () => {
    expect(jsonCodec.decode(jsonCodec.encode({ a: undefined, b: 1 }))).toStrictEqual({ b: 1 })
  })
})

/** Finds -0, which `JSON.stringify` hides. */
const inspectZero = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => (Object.is(part, -0) ? '-0' : part))

describe('codecs', () => {
  test('bytes: what is encoded comes back, copied out of the reply that it came in', () => {
    for (const value of [null, Buffer.alloc(0), Buffer.from([0, 1, 2])])
      expect(bytesCodec.decode(bytesCodec.encode(value))).toEqual(value)
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
