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

  test('what is waited for fits a timer, which would fire at once past 2^31 - 1 ms', () => {
    const longest = 2 ** 31 - 1
    const waits = (length: string | number) => ({
      hardTimeout: length,
      timeout: length,
      tokenTimeout: length,
    })
    for (const length of ['25d', Infinity, 2 ** 31])
      expect(definePolicy(waits(length))).toMatchObject({
        hardTimeoutMs: longest,
        timeoutMs: longest,
        tokenTimeoutMs: longest,
      })
    expect(definePolicy(waits('24d')).hardTimeoutMs).toBe(24 * 86_400_000)
    expect(definePolicy({}).timeoutMs).toBe(Infinity)
  })

  test('what is kept for ever fits the envelope, ttl and grace together', () => {
    const { ttlMs, negativeTtlMs, graceMs } = definePolicy({
      ttl: Infinity,
      negativeTtl: Infinity,
      grace: Infinity,
    })
    expect(negativeTtlMs).toBe(ttlMs)
    expect(Date.now() + ttlMs + graceMs).toBeLessThan(2 ** 48)
    expect(ttlMs).toBeGreaterThan(1_000 * 365 * 86_400_000)
  })

  test('what Redis is told is whole milliseconds, and 0 is none', () => {
    expect(definePolicy({ lease: 0.5, ttl: 0.5, grace: 10.5 })).toMatchObject({
      leaseMs: 1,
      ttlMs: 1,
      graceMs: 11,
    })
    expect(definePolicy({ lease: 0, ttl: 0 })).toMatchObject({ leaseMs: 0, ttlMs: 0 })
    expect(definePolicy({ lease: Infinity }).leaseMs).toBe(2 ** 31 - 1)
    expect(definePolicy({ maxLag: 0.5 }).maxLagMs).toBe(0.5)
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
