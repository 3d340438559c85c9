import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { afterEach, describe, expect, test } from 'vitest'

import type { CacheEventName } from '../src/index.js'
import { createCache, loadTraces, onCacheEvent } from '../src/index.js'
import { gateway, HandLog, settle } from '../src/testing/index.js'

let stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops) stop()
  stops = []
})

let caches = 0

const setUp = (policy = {}, more = {}) => {
  const tide = new HandLog().follow()
  const namespace = `n${++caches}`
  const cache = createCache({ follow: tide, namespace, policy: { ttl: '1m', ...policy }, ...more })
  const hear = (name: CacheEventName) => {
    const heard: unknown[] = []
    stops.push(
      onCacheEvent(name, ({ namespace: of, ...said }) => {
        if (of === namespace) heard.push(said)
      }),
    )
    return heard
  }
  const pass = (ms: number) => {
    tide.pass(ms)
    tide.prove()
  }
  return { tide, cache, hear, pass, namespace }
}

const request = { key: 'k', tags: ['t'], load: () => 1 }

describe('what is told of one key', () => {
  test('a miss, and nothing of hits in memory', async () => {
    const { cache, hear } = setUp({ kind: 'things' })
    const heard = hear('miss')
    await cache.getOrSet(request)
    await cache.getOrSet(request)
    expect(heard).toEqual([{ key: 'k', kind: 'things' }])
  })

  test('why what is held cannot be served: sunk, expired, unproven', async () => {
    const { tide, cache, hear, pass } = setUp({ maxLag: '1s' })
    const [sunk, expired, unproven] = [hear('sunk'), hear('expired'), hear('unproven')]
    await cache.getOrSet(request)
    cache.getOrSet(request)
    tide.change('t')
    await cache.getOrSet(request)
    expect(sunk).toEqual([{ key: 'k', kind: '', tier: 'l1', uses: 1 }])
    tide.pass(1_500)
    await settle()
    await cache.getOrSet(request)
    expect(unproven).toEqual([{ key: 'k', kind: '', tier: 'l1', lagMs: 1_500, maxLagMs: 1_000 }])
    pass(60_000)
    await settle()
    await cache.getOrSet(request)
    expect(expired).toEqual([{ key: 'k', kind: '', tier: 'l1', uses: 0 }])
  })

  test('an answer within its grace', async () => {
    const { tide, cache, hear, pass } = setUp({ grace: '1h' })
    const heard = hear('stale')
    await cache.getOrSet(request)
    pass(500)
    tide.change('t')
    await cache.getOrSet({ ...request, load: () => Promise.reject(new Error('down')) })
    expect(heard).toEqual([{ key: 'k', kind: '', tier: 'l1', ageMs: 500 }])
  })

  test('a shared load, and a refresh', async () => {
    const { tide, cache, hear, pass } = setUp({ beta: 1 }, { random: () => 0.99 })
    const [shared, refresh] = [hear('shared'), hear('refresh')]
    const gate = gateway<number>()
    const slow = { ...request, load: () => gate.promise }
    const both = [cache.getOrSet(slow), cache.getOrSet(slow)]
    await settle()
    tide.pass(1_000)
    tide.prove()
    gate.open(1)
    await Promise.all(both)
    expect(shared).toEqual([{ key: 'k', kind: '' }])
    pass(58_000)
    await settle()
    cache.getOrSet(request)
    expect(refresh).toEqual([{ key: 'k', kind: '' }])
  })
})

describe('what is told of all', () => {
  test('changes, each by its own name', async () => {
    const { cache, hear } = setUp()
    const [invalidate, put, deleted, clear] = [hear('invalidate'), hear('put'), hear('delete'), hear('clear')]
    await cache.invalidate(['a', 'b'], 'why')
    await cache.put('k', 1)
    await cache.delete('k')
    await cache.clear()
    expect(invalidate).toEqual([{ tags: ['a', 'b'], reason: 'why', token: { term: 1, position: 1 } }])
    expect(put).toMatchObject([{ key: 'k', token: { position: 2 } }])
    expect(deleted).toMatchObject([{ key: 'k', token: { position: 3 } }])
    expect(clear).toMatchObject([{ token: { position: 4 } }])
  })

  test('a new history, and a gap in the log', async () => {
    const { tide, cache, hear } = setUp()
    const [adopted, rebased] = [hear('adopted'), hear('rebased')]
    tide.change('t')
    expect([adopted, rebased]).toEqual([[], []])
    tide.write('t')
    tide.loseUpToHead()
    tide.change('t')
    expect(rebased).toHaveLength(1)
    tide.newEpoch()
    tide.change('t')
    expect(adopted).toMatchObject([{ epoch: { term: 2 } }])
    expect(rebased).toHaveLength(1)
    await cache.close()
    tide.newEpoch()
    tide.change('t')
    expect(adopted).toHaveLength(1)
  })

  test('whoever stops listening hears nothing more', async () => {
    const { cache, hear } = setUp()
    const heard = hear('miss')
    stops.pop()!()
    await cache.getOrSet(request)
    expect(heard).toEqual([])
  })

  test('a namespace stands on each, and the channel is named by the event', async () => {
    const { cache, namespace } = setUp()
    const heard: unknown[] = []
    const listener = (event: unknown) => heard.push(event)
    subscribe('tidemark:cache:miss', listener)
    await cache.getOrSet(request)
    unsubscribe('tidemark:cache:miss', listener)
    expect(heard).toEqual([{ namespace, key: 'k', kind: '' }])
  })
})

describe('a load is traced', () => {
  const hearLoads = (namespace: string) => {
    const heard: Record<string, unknown>[] = []
    const { start, asyncEnd } = loadTraces()
    const note = (what: string) => (event: unknown) => {
      const of = event as { namespace: string }
      if (of.namespace === namespace) heard.push({ what, ...of })
    }
    const [began, ended] = [note('start'), note('end')]
    start.subscribe(began)
    asyncEnd.subscribe(ended)
    stops.push(() => {
      start.unsubscribe(began)
      asyncEnd.unsubscribe(ended)
    })
    return heard
  }

  test('with its keys and how long it took', async () => {
    const { tide, cache, namespace } = setUp({ kind: 'things' })
    const heard = hearLoads(namespace)
    await cache.getOrSetMany({
      keys: ['a', 'b'],
      load: () => {
        tide.pass(30)
        return new Map([['a', 1]])
      },
    })
    expect(heard).toMatchObject([
      { what: 'start', kind: 'things', keys: ['a', 'b'] },
      { what: 'end', durationMs: 30 },
    ])
  })

  test('its failure is told, and reaches the caller as it is', async () => {
    const { cache, namespace } = setUp()
    const heard = hearLoads(namespace)
    const error = new Error('down')
    await expect(cache.getOrSet({ ...request, load: () => Promise.reject(error) })).rejects.toBe(error)
    expect(heard[1]).toMatchObject({ what: 'end', error })
  })
})
