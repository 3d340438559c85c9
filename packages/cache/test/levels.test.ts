import { describe, expect, test, vi } from 'vitest'

import { createCache } from '../src/index.js'
import { gateway, handLog, settle } from '../src/testing/index.js'

const setUp = (policy = {}) => {
  const tide = handLog()
  const cache = createCache({ follow: tide, namespace: 'n', policy: { ttl: '1h', maxLag: '2s', ...policy } })
  /** The origin: what the last committed write left. */
  const origin = { value: 'v0' }
  const read = (more = {}) => cache.read({ key: 'k', tags: ['t'], load: () => origin.value, ...more })
  return { tide, cache, origin, read }
}

describe('bounded', () => {
  test('tells its story', async () => {
    const { tide, read } = setUp()
    expect(await read()).toMatchObject({ from: 'load', value: 'v0', stale: false, historyLost: false })
    tide.pass(500)
    tide.prove()
    await settle()
    expect(await read()).toMatchObject({
      from: 'l1',
      ageMs: 500,
      ttlLeftMs: 3_600_000 - 500,
      tidemark: { tidemark: 0 },
      token: { term: 1, position: 0 },
    })
  })

  test('a loaded value may hold what has no position yet: its token is the log`s head, and stays with it', async () => {
    const { tide, cache, origin, read } = setUp()
    origin.value = 'v1'
    const token = tide.write('x') // committed before the load; nobody here has heard of it
    expect(await read()).toMatchObject({ value: 'v1', from: 'load', token })
    expect(await read()).toMatchObject({ value: 'v1', from: 'l1', token })
    expect(cache.tokenFor(cache.hit('k')!)).toEqual(token)
    expect(tide.headCalls).toBe(1)
    tide.change('other')
    const later = { term: 1, position: 2 }
    expect(cache.tokenFor(cache.hit('k')!)).toEqual(later)
  })

  test('a value that may hold what has no position yet comes without a token where the log cannot be asked', async () => {
    const { tide, cache, origin, read } = setUp()
    origin.value = 'v1'
    tide.write('x')
    tide.isReachable = false
    expect(await read()).toMatchObject({ value: 'v1', from: 'load', token: undefined })
    expect(await read()).toMatchObject({ value: 'v1', from: 'l1', token: undefined })
    expect(cache.tokenFor(cache.hit('k')!)).toBeUndefined()
    tide.pass(10)
    tide.hear()
    await settle()
    const token = { term: 1, position: 1 }
    expect(await read()).toMatchObject({ value: 'v1', from: 'l1', token })
    expect(cache.tokenFor(cache.hit('k')!)).toEqual(token)
  })

  test('a token that was given with a value does not outlive its history', async () => {
    const { tide, cache, read } = setUp()
    tide.write('x')
    await read()
    const { cover, ...entry } = cache.hit('k')!
    expect(cover).toEqual({ term: 1, position: 1 })
    expect(cache.tokenFor({ ...entry, seenAtMs: Infinity, cover: { term: 0, position: 9 } })).toBeUndefined()
  })
})

describe('session', () => {
  test('a token makes the follower catch up before anything held is believed', async () => {
    const { tide, origin, read } = setUp()
    await read()
    origin.value = 'v1'
    const token = tide.write('t')
    expect(await read()).toMatchObject({ value: 'v0' })
    expect(await read({ token })).toMatchObject({ value: 'v1', from: 'load' })
  })

  test('a fresh load may hold what has no position yet: its token is the log`s head until proof passes it', async () => {
    const { tide, origin, read } = setUp({ level: 'session' })
    origin.value = 'v1'
    // Committed and sequenced before the load; the follower has not heard of it.
    const written = tide.write('t')
    const first = await read()
    expect(first).toMatchObject({ value: 'v1', token: written })
    expect(tide.headCalls).toBe(1)
    tide.pass(10)
    tide.hear()
    await settle()
    const second = await read()
    expect(second.token).toEqual(written)
    expect(tide.headCalls).toBe(2) // v1 had been stamped before the write: it sank and was loaded anew
    tide.pass(10)
    tide.hear()
    await settle()
    const third = await read()
    expect(third).toMatchObject({ from: 'l1', token: written })
    expect(tide.headCalls).toBe(2)
  })

  test('never goes back: the next reader, behind, does not answer from before what was shown', async () => {
    const { tide, origin, read } = setUp({ level: 'session' })
    const behind = setUp({ level: 'session' })
    await behind.read()
    origin.value = 'v1'
    tide.write('t')
    behind.tide.write('t')
    behind.origin.value = 'v1'
    const { value, token } = await read()
    expect(value).toBe('v1')
    expect(await behind.read({ token })).toMatchObject({ value: 'v1' })
  })

  test('a token that the log does not have is refused by name', async () => {
    const { cache, read } = setUp()
    await read()
    for (const token of [
      { term: 1, position: 99 },
      { term: 2, position: 0 },
    ]) {
      await expect(read({ token })).rejects.toMatchObject({ code: 'cache.token-unknown' })
      await expect(cache.getOrSet({ key: 'k', token, load: () => 1 })).rejects.toMatchObject({
        code: 'cache.token-unknown',
      })
    }
  })

  test('a token of an older history counts as met, and the answer says that history was lost', async () => {
    const { tide, read } = setUp()
    const token = tide.write('x')
    tide.newEpoch()
    expect(await read({ token })).toMatchObject({ historyLost: true })
    tide.pass(10)
    tide.prove()
    await settle()
    expect(await read({ token })).toMatchObject({ from: 'l1', historyLost: true })
  })

  test('an epoch that begins during the load: the token given is of another history, and the answer says so', async () => {
    const { tide, cache, read } = setUp()
    const token = tide.change('x')
    const gate = gateway<string>()
    const one = read({ token, load: () => gate.promise })
    const many = cache.readMany({
      keys: ['a'],
      token,
      load: () => gate.promise.then((v) => new Map([['a', v]])),
    })
    await settle()
    tide.newEpoch()
    gate.open('v')
    expect(await one).toMatchObject({ token: { term: 2 }, historyLost: true })
    const { answers, ...rest } = await many
    expect(rest).toMatchObject({ token: { term: 2 }, historyLost: true })
    expect(answers.get('a')?.historyLost).toBe(true)
  })

  test('where the log cannot be asked, only a load that begins now will do, and only with a token to give', async () => {
    const { tide, cache, origin, read } = setUp()
    await read()
    const gate = gateway<string>()
    const running = cache.getOrSet({ key: 'k2', tags: ['t'], load: () => gate.promise })
    await settle()
    origin.value = 'v1'
    const token = tide.write('t')
    tide.isReachable = false
    expect(await cache.getOrSet({ key: 'k', tags: ['t'], token, load: () => origin.value })).toBe('v1')
    expect(await cache.getOrSet({ key: 'k2', tags: ['t'], token, load: () => origin.value })).toBe('v1')
    gate.open('v0')
    await running
    await expect(read({ token })).rejects.toMatchObject({ code: 'cache.unavailable' })
    const failing = { key: 'k', token, load: () => Promise.reject(new Error('down')) }
    await expect(cache.getOrSet(failing)).rejects.toMatchObject({ code: 'cache.unavailable' })
  })
})

describe('strict', () => {
  test('holds what was committed before it asked, though nobody here has heard of it', async () => {
    const { tide, origin, read } = setUp()
    await read()
    origin.value = 'v1'
    tide.write('t')
    expect(await read()).toMatchObject({ value: 'v0' })
    expect(await read({ level: 'strict' })).toMatchObject({ value: 'v1' })
  })

  test('is what a plain get, and a loader, are held to where their policy says so', async () => {
    const { tide, cache, origin } = setUp({ level: 'strict' })
    const loader = cache.defineLoader('v', { tags: () => ['t'], load: () => origin.value })
    await cache.getOrSet({ key: 'k', tags: ['t'], load: () => origin.value })
    await loader.get('1')
    origin.value = 'v1'
    tide.write('t')
    expect(await cache.get('k')).toBeUndefined()
    expect(await loader.get('1')).toBe('v1')
  })

  test('may be answered from L1 once the head is reached, blind or not', async () => {
    const { tide, read } = setUp()
    await read()
    tide.pass(10_000)
    const answer = await read({ level: 'strict' })
    expect(answer).toMatchObject({ from: 'l1', value: 'v0', token: { term: 1, position: 0 } })
  })

  test('a head of an older term than is followed is a deposed primary`s: it proves nothing', async () => {
    const { tide, cache, origin, read } = setUp()
    const deposedHead = tide.write('x')
    tide.newEpoch()
    await read()
    expect(cache.hit('k')?.value).toBe('v0')
    tide.deposedHead = deposedHead
    origin.value = 'v1'
    const load = () => origin.value
    expect(await cache.getOrSet({ key: 'k', level: 'strict', load })).toBe('v1')
    origin.value = 'v2'
    const token = { term: 2, position: 1 }
    expect(await cache.getOrSet({ key: 'k', level: 'strict', token, load })).toBe('v2')
  })

  test('nor is its head a token for what a follower of the new history was shown', async () => {
    const { tide, read } = setUp({ level: 'session' })
    const deposedHead = tide.write('x')
    tide.newEpoch()
    tide.deposedHead = deposedHead
    await expect(read()).rejects.toMatchObject({ code: 'cache.unavailable' })
  })

  test('loads where the log cannot be asked, and fails by name with the origin down', async () => {
    const { tide, cache, origin, read } = setUp()
    await read()
    tide.isReachable = false
    origin.value = 'v1'
    expect(await cache.getOrSet({ key: 'k', level: 'strict', load: () => origin.value })).toBe('v1')
    await expect(read({ level: 'strict' })).rejects.toMatchObject({ code: 'cache.unavailable' })
  })
})

describe('readMany', () => {
  test('gives one token that covers all', async () => {
    const { tide, cache } = setUp()
    await cache.read({ key: 'a', load: () => 'a' })
    tide.pass(10)
    tide.prove()
    const written = tide.write('t')
    const load = vi.fn(() => new Map([['b', 'b']]))
    const { answers, token } = await cache.readMany({ keys: ['a', 'b'], level: 'session', load })
    expect([...answers.values()].map(({ from }) => from)).toEqual(['l1', 'load'])
    expect(token).toEqual(written)
    expect(answers.get('a')?.token).toEqual(written)
  })

  test('at bounded gives a token only where it covers every value', async () => {
    const { tide, cache } = setUp()
    const load = (keys: readonly string[]) => new Map(keys.map((key) => [key, key]))
    await cache.readMany({ keys: ['a'], load })
    tide.pass(10)
    tide.prove()
    await settle()
    expect((await cache.readMany({ keys: ['a'], load })).token).toEqual({ term: 1, position: 0 })
    tide.isReachable = false
    const mixed = await cache.readMany({ keys: ['a', 'b'], load })
    expect(mixed.token).toBeUndefined()
    expect(mixed.answers.get('b')?.token).toBeUndefined()
    tide.isReachable = true
    const written = tide.write('x')
    expect((await cache.readMany({ keys: ['a', 'b', 'c'], load })).token).toEqual(written)
  })
})
