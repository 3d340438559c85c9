import { expect, test } from 'vitest'
import { createToldLedger } from '../src/soak/told-ledger.js'

test('a change that one of two subscribers never heard of stays outstanding', () => {
  const ledger = createToldLedger(2)
  ledger.owe(7, 3, 100)
  ledger.tell(0, 7, 3, 130)
  expect(ledger.outstanding).toEqual([{ productId: 7, version: 3, owedSinceMs: 100, heardBy: [0] }])
  ledger.tell(0, 7, 3, 140)
  expect(ledger.outstanding).toHaveLength(1)
  ledger.tell(1, 7, 3, 150)
  expect(ledger.outstanding).toEqual([])
  expect(ledger.lags.map(({ lagMs }) => lagMs)).toEqual([30, 50])
})

test('who hears before the writer has its answer was not late, and what was never acknowledged is not owed', () => {
  const ledger = createToldLedger(1)
  ledger.tell(0, 7, 3, 90)
  ledger.tell(0, 8, 1, 95)
  expect(ledger.outstanding).toEqual([])
  ledger.owe(7, 3, 100)
  expect(ledger.lags).toEqual([{ atMs: 90, lagMs: 0 }])
  expect(ledger.outstanding).toEqual([])
  expect(ledger.owed).toBe(1)
})

test('another version of the same product, or the same of another, is another change', () => {
  const ledger = createToldLedger(1)
  ledger.owe(7, 3, 0)
  ledger.tell(0, 7, 4, 1)
  ledger.tell(0, 73, 3, 1)
  expect(ledger.outstanding).toMatchObject([{ productId: 7, version: 3 }])
})
