import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import type { Envelope } from '../src/l2/envelope.js'
import { goldenCases, goldenHead, goldenKey, writeGolden } from './golden/cases.js'

const folder = join(import.meta.dirname, 'golden')
/** Up to the length of the payload. */
const sameEverywhere = 52

describe('golden files', () => {
  test.each(goldenCases)('$file is read: the same stamp, times, tags and value', (golden) => {
    const bytes = readFileSync(join(folder, golden.file))
    const envelope = golden.wrapper.unwrap(goldenKey, bytes) as Envelope | undefined
    expect(envelope).toMatchObject({ ...goldenHead, codecId: golden.codec.id })
    expect(envelope!.validator).toBe(golden.validator)
    expect(golden.codec.decode(envelope!.payload)).toStrictEqual(golden.value)
  })

  test.each(goldenCases)('$file: today`s writer makes the same bytes', (golden) => {
    const bytes = readFileSync(join(folder, golden.file))
    const written = writeGolden(golden)
    if (!golden.isDeflated) expect(written.toString('hex')).toBe(bytes.toString('hex'))
    expect(written.subarray(0, sameEverywhere)).toEqual(bytes.subarray(0, sameEverywhere))
  })

  test('every file in the folder is one that is read here', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.bin'))
    expect(files.sort()).toEqual(goldenCases.map(({ file }) => file).sort())
  })
})
