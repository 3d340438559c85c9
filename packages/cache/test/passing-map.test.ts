import { expect, test } from 'vitest'

import { PassingMap } from '../src/load/passing-map.js'

test('what stays is found however many come and go', () => {
  const map = new PassingMap<string, number>()
  map.set('stays', 0)
  for (let i = 1; i < 5_000; i++) {
    map.set(`${i}`, i)
    map.set('stays', i)
    expect(map.get(`${i}`)).toBe(i)
    map.delete(`${i}`)
    expect(map.has(`${i}`)).toBe(false)
  }
  expect(map.get('stays')).toBe(4_999)
})

test('all that are there at once are kept', () => {
  const map = new PassingMap<number, number>()
  for (let i = 0; i < 5_000; i++) map.set(i, i)
  for (let i = 0; i < 5_000; i++) expect(map.get(i)).toBe(i)
})
