import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatToken, isCoveredBy, parseToken } from '../src/index.js'

const anyToken = fc.record({
  term: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  position: fc.maxSafeNat(),
})

describe('tokens', () => {
  test('what is written is read back', () => {
    fc.assert(
      fc.property(anyToken, (token) => {
        expect(parseToken(formatToken(token))).toEqual(token)
      }),
    )
  })

  test.each([
    ...['', '-', '1', '1-', '-1', '1-2-3', '1.5-2', '1--2', '+1-2', ' 1-2', '1-2\n', '0x1-2', '1e3-2'],
    ...['1-9007199254740992', '1-9999999999999999', '99999999999-1', '1-١'],
  ])('%j spells no token', (text) => {
    expect(parseToken(text)).toBeUndefined()
  })

  test('any text is read or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const token = parseToken(text)
        if (token !== undefined) expect(Number.isSafeInteger(token.position)).toBe(true)
      }),
    )
  })

  test('a position is covered by its own and by later ones of its term', () => {
    expect(isCoveredBy({ term: 2, position: 7 }, { term: 2, position: 7 })).toBe(true)
    expect(isCoveredBy({ term: 2, position: 7 }, { term: 2, position: 8 })).toBe(true)
    expect(isCoveredBy({ term: 2, position: 7 }, { term: 2, position: 6 })).toBe(false)
  })

  test('an older term counts as met once a newer one is followed; a newer term never does', () => {
    expect(isCoveredBy({ term: 1, position: 900 }, { term: 2, position: 6 })).toBe(true)
    expect(isCoveredBy({ term: 3, position: 1 }, { term: 2, position: 900 })).toBe(false)
  })
})
