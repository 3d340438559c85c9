import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'

import { argumentKey } from '../src/argument-key.js'

class Money {
  readonly amount = 1
}
const looped: { self?: unknown } = {}
looped.self = looped

describe('a key made of arguments', () => {
  test.each([
    [[1], ['1']],
    [[0], [-0]],
    [[1n], [1]],
    [[null], [undefined]],
    [[], [undefined]],
    [['a', 'b'], ['a","b']],
    [['a,b'], ['a', 'b']],
    [[['a', 'b']], [['a'], 'b']],
    [[{ a: undefined }], [{}]],
    [[new Date(0)], [0]],
    [[new Date(Number.NaN)], [new Date(0)]],
    [[new Set([1])], [[1]]],
    [[new Map([[1, [2, 3]]])], [new Map([[1, 2]])]],
    [[Buffer.from('a')], [new Uint8Array([97])]],
    [[new URL('http://a/')], ['http://a/']],
    [[{}], [Object.create(null)]],
    [['NaN'], [Number.NaN]],
    [['x'.repeat(300)], ['x'.repeat(301)]],
  ])('tells %o from %o', (one, other) => {
    expect(argumentKey(one)).not.toBe(argumentKey(other))
  })

  test('is the same for an object whose properties come in another order', () => {
    expect(argumentKey([{ a: 1, b: [{ c: 2, d: 3 }] }])).toBe(argumentKey([{ b: [{ d: 3, c: 2 }], a: 1 }]))
  })

  test('stays short, whatever the arguments', () => {
    expect(argumentKey(['x'.repeat(100_000)]).length).toBeLessThan(64)
  })

  test.each([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['an instance of a class', new Money()],
    ['an instance inside of others', [{ price: new Money() }]],
    ['what holds itself', looped],
    ['an array with holes', Array(2)],
    ['an array with properties', Object.assign([1], { extra: 1 })],
    ['a Map with properties', Object.assign(new Map(), { extra: 1 })],
    ['a symbol for a key', { [Symbol('s')]: 1 }],
    ['a hidden property', Object.defineProperty({}, 'hidden', { value: 1 })],
    ['a getter', Object.defineProperty({}, 'now', { get: () => 1, enumerable: true })],
    ['a promise', Promise.resolve(1)],
    ['a regular expression', /a/],
  ])('refuses %s', (_what, argument) => {
    expect(() => argumentKey(['fine', argument])).toThrow(/argument 1 is or holds/)
  })

  const arguments_ = fc.array(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true }))
  const keyOf = (args: unknown[]): string | undefined => {
    try {
      return argumentKey(args)
    } catch {
      return undefined
    }
  }
  test('two that differ never have the same key', () => {
    fc.assert(
      fc.property(arguments_, arguments_, (one, other) => {
        const key = keyOf(one)
        return key === undefined || key !== keyOf(other) || isDeepStrictEqual(one, other)
      }),
    )
  })
})
