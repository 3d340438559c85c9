import { describe, expect, test } from 'vitest'

import { CacheError } from '../src/cache-error.js'
import { definePolicy, policyOf } from '../src/policy.js'

describe('policy', () => {
  test('durations are text or milliseconds', () => {
    expect(definePolicy({ ttl: '10m', grace: '1.5h', maxLag: 250 })).toMatchObject({
      ttlMs: 600_000,
      graceMs: 5_400_000,
      maxLagMs: 250,
      level: 'bounded',
    })
  })

  test.each([
    [{ ttl: 'soon' }, /ttl: "soon"/],
    [{ grace: -1 }, /grace: -1/],
    [{ maxLag: NaN }, /maxLag: NaN/],
    [{ hardTimeout: '' }, /hardTimeout: ""/],
    [{ level: 'loose' as 'strict' }, /level: "loose"/],
  ])('a mistake is named: %o', (options, message) => {
    expect(() => definePolicy(options)).toThrow(CacheError)
    expect(() => definePolicy(options)).toThrow(message)
  })

  test('negative answers are kept a minute at most unless told otherwise', () => {
    expect(definePolicy({ ttl: '1h' }).negativeTtlMs).toBe(60_000)
    expect(definePolicy({ ttl: '5s' }).negativeTtlMs).toBe(5_000)
    expect(definePolicy({ ttl: '1h', negativeTtl: '2h' }).negativeTtlMs).toBe(7_200_000)
  })

  test('a request that says nothing makes no policy; what it says goes over what it inherits', () => {
    const base = definePolicy({ ttl: '1h', grace: '1m' })
    expect(policyOf({}, base)).toBe(base)
    expect(policyOf({ ttl: 5, policy: base }, definePolicy({}))).toMatchObject({ ttlMs: 5, graceMs: 60_000 })
  })
})
