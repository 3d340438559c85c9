import { describe, expect, test } from 'vitest'

import { KeyBypass, probeEvery, probesInRun, usesToLeave, valuesToEnter } from '../src/advice/key-bypass.js'
import { KindBypass, probesToJudge, valuesToJudge } from '../src/advice/kind-bypass.js'
import { isProbeSlot, slotMs, slotsInRound } from '../src/advice/probe-slots.js'
import { TagLedger } from '../src/advice/tag-ledger.js'
import { Tallies } from '../src/advice/tally.js'

const setUp = (maxKeys = 100) => {
  const turns: string[] = []
  const keys = new KeyBypass(maxKeys, (key, _kind, isBypassed) => {
    turns.push(`${isBypassed ? '+' : '-'}${key}`)
  })
  const sink = (key: string, times: number) => {
    for (let i = 0; i < times; i++) keys.sankUnused(key, 'kind', 1)
  }
  return { keys, sink, turns }
}

describe('a key', () => {
  test('is bypassed once so many of its values in a row have sunk unused', () => {
    const { keys, sink, turns } = setUp()
    sink('k', valuesToEnter - 1)
    keys.used('k')
    sink('k', valuesToEnter - 1)
    expect(keys.isBypassed('k')).toBe(false)
    sink('k', 1)
    expect(keys.isBypassed('k')).toBe(true)
    expect(keys.isBypassed('other')).toBe(false)
    expect(turns).toEqual(['+k'])
  })

  test('is probed, so many loads in a row of every so many', () => {
    const { keys, sink } = setUp()
    sink('k', valuesToEnter)
    const drawn = Array.from({ length: 4 * probeEvery }, () => keys.drawProbe('k'))
    expect(drawn.filter(Boolean)).toHaveLength(4 * probesInRun)
    expect(drawn.indexOf(true)).toBe(probeEvery - probesInRun)
    expect(drawn.slice(probeEvery - probesInRun, probeEvery)).toEqual(Array(probesInRun).fill(true))
  })

  test('comes back when probes in a row are used, not by one use by chance', () => {
    const { keys, sink, turns } = setUp()
    sink('k', valuesToEnter)
    for (let i = 0; i < usesToLeave - 1; i++) keys.used('k')
    sink('k', 1)
    for (let i = 0; i < usesToLeave - 1; i++) keys.used('k')
    expect(keys.isBypassed('k')).toBe(true)
    keys.used('k')
    expect(keys.isBypassed('k')).toBe(false)
    expect(turns).toEqual(['+k', '-k'])
  })

  test('is forgotten when too many others are heard of, and is then cached again', () => {
    const { keys, sink, turns } = setUp(3)
    sink('k', valuesToEnter)
    for (const other of ['a', 'b', 'c']) sink(other, 1)
    expect(keys.isBypassed('k')).toBe(false)
    expect(keys.size).toBe(0)
    expect(turns).toEqual(['+k', '-k'])
  })
})

describe('a kind', () => {
  const ended = (kind: KindBypass, times: number, isUsed: boolean) =>
    Array.from({ length: times }, () => kind.ended(isUsed, 5)).filter(Boolean).length

  test('is bypassed when nearly none of enough values was used', () => {
    const kind = new KindBypass(Math.random)
    ended(kind, 2, true)
    expect(ended(kind, valuesToJudge - 3, false)).toBe(0)
    expect(ended(kind, 1, false)).toBe(1)
    expect(kind.sinceMs).toBe(5)
  })

  test('is not bypassed while some are', () => {
    const kind = new KindBypass(Math.random)
    for (let i = 0; i < 5_000; i++) kind.ended(i % 20 === 0, 5)
    expect(kind.sinceMs).toBeUndefined()
  })

  test('comes back when its probes are used, and is judged by them alone', () => {
    const kind = new KindBypass(Math.random)
    ended(kind, valuesToJudge, false)
    ended(kind, probesToJudge, false)
    expect(kind.sinceMs).toBe(5)
    expect(ended(kind, 5, true)).toBe(1)
    expect(kind.sinceMs).toBeUndefined()
  })

  test('long ago weighs less than of late', () => {
    const kind = new KindBypass(Math.random)
    ended(kind, 100_000, true)
    ended(kind, 6_000, false)
    expect(kind.sinceMs).toBe(5)
  })
})

test('each name has one slot in a round, the same for all, and names have different ones', () => {
  const slotOf = (name: string) =>
    Array.from({ length: slotsInRound }, (_, i) => isProbeSlot(name, i * slotMs + 17))
  const names = Array.from({ length: 320 }, (_, i) => `product:${i}`)
  for (const name of names) expect(slotOf(name).filter(Boolean)).toHaveLength(1)
  const perSlot = names.map((name) => slotOf(name).indexOf(true))
  for (let slot = 0; slot < slotsInRound; slot++)
    expect(perSlot.filter((each) => each === slot).length).toBeGreaterThan(5)
})

test('tags: the ones that sank most to no purpose come first, and only so many are known', () => {
  const tags = new TagLedger()
  for (let i = 0; i < 1_000; i++) tags.sank([`one:${i}`, 'broad'], i % 2 === 0)
  expect(tags.all[0]).toEqual({ tag: 'broad', sank: 1_000, same: 500 })
  expect(tags.all.length).toBeLessThanOrEqual(256)
})

test('what is said is of the present stretch of time and the one before it', () => {
  const minuteMs = 60_000
  const tallies = new Tallies(0)
  tallies.at(0).loads++
  tallies.at(6 * minuteMs).loads++
  expect(tallies.sum(7 * minuteMs)).toMatchObject({ tally: { loads: 2 }, overMs: 7 * minuteMs })
  expect(tallies.sum(11 * minuteMs)).toMatchObject({ tally: { loads: 1 }, overMs: 6 * minuteMs })
  expect(tallies.sum(60 * minuteMs).tally.loads).toBe(0)
})
