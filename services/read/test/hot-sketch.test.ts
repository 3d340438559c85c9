import { expect, test } from 'vitest'

import { HotSketch } from '../src/heat/hot-sketch.js'

const keysOf = (sketch: HotSketch, limit = 10): string[] => sketch.hottest(limit).map(({ key }) => key)

test('a steady rate is told as it is, and fades when nobody asks any more', () => {
  const sketch = new HotSketch()
  for (let second = 0; second < 60; second++) {
    for (let read = 0; read < 20; read++) sketch.count('/a', 1, ['a'])
    sketch.fade(1_000)
  }
  const [a] = sketch.hottest(1)
  expect(a).toMatchObject({ key: '/a', tags: ['a'] })
  expect(a!.heat).toBeGreaterThan(17)
  expect(a!.heat).toBeLessThan(21)
  sketch.fade(60_000)
  expect([sketch.hottest(1), sketch.size]).toEqual([[], 0])
})

test('among a flood of other keys the hottest stay, in bounded memory', () => {
  const sketch = new HotSketch(100)
  for (let n = 0; n < 20_000; n++) {
    sketch.count(`/cold/${n}`, 1, undefined)
    if (n % 10 === 0) sketch.count('/hot', 1, undefined)
    if (n % 20 === 0) sketch.count('/warm', 1, undefined)
    expect(sketch.size).toBeLessThanOrEqual(100)
  }
  expect(keysOf(sketch)).toEqual(['/hot', '/warm'])
})

test('one sample makes no key hot, and tags once known stay known', () => {
  const sketch = new HotSketch()
  sketch.count('/once', 64, undefined)
  sketch.count('/twice', 1, ['t'])
  sketch.count('/twice', 1, undefined)
  expect(sketch.hottest(10)).toMatchObject([{ key: '/twice', tags: ['t'] }])
})
