import { createRegistry, defineResource } from '@tidemark/resources'
import { expect, test } from 'vitest'
import { z } from 'zod'

import { representationVersion } from '../src/representation-version.js'

const column = { id: z.int32(), aId: z.int32(), bId: z.int32(), version: z.int32() }

function versionOf(
  columns: z.ZodRawShape,
  includes: Record<string, { resource: string; field: string }>,
): string {
  const resource = defineResource({
    ...{ name: 'things', model: 'Thing', schema: z.object(columns), facets: [], unique: [], includes },
    cache: { ttl: '1m', grace: '0s', level: 'bounded', maxLag: '2s' },
    access: { read: [], write: [] },
  } as never)
  return representationVersion(createRegistry([resource]))
}

test('whatever changes the bytes of an answer changes the version: a column, its kind, a relation, what it leads to', () => {
  const relation = { resource: 'things', field: 'aId' }
  const versions = [
    versionOf(column, {}),
    versionOf({ ...column, note: z.string() }, {}),
    versionOf({ ...column, note: z.boolean() }, {}),
    versionOf(column, { other: relation }),
    versionOf(column, { another: relation }),
    versionOf(column, { other: { ...relation, field: 'bId' } }),
  ]
  expect(new Set(versions).size).toBe(versions.length)
  expect(versionOf({ ...column }, { other: { ...relation } })).toBe(versions[3])
})
