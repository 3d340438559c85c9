import { describe, expect, it } from 'vitest'

import { brands, categories, products, represent } from '../src/index.js'
import type { Resource, Row } from '../src/index.js'
import { sampleRows } from '../src/seed/index.js'

const size = { products: 2000, seed: 7 }

describe('sample rows', () => {
  it('are the same for the same seed, and others for another', () => {
    const rows = (seed: number): string => {
      const sample = sampleRows({ ...size, seed })
      return JSON.stringify([sample.categories, sample.brands, [...sample.products()]])
    }
    expect(rows(7)).toBe(rows(7))
    expect(rows(8)).not.toBe(rows(7))
  })

  it('a larger shop begins with the smaller one', () => {
    const small = [...sampleRows({ ...size, products: 10 }).products()]
    expect([...sampleRows(size).products()].slice(0, 10)).toEqual(small)
  })

  it('a product is about 1 KB of JSON', () => {
    const sizes = [...sampleRows(size).products()].map(
      (row) => represent(products, complete(row)).body.length,
    )
    expect(Math.min(...sizes)).toBeGreaterThan(850)
    expect(Math.max(...sizes)).toBeLessThan(1200)
  })

  it('fit their schemas, have unique slugs, and name rows that exist', () => {
    const sample = sampleRows(size)
    const rows = [...sample.products()]
    const check = (
      resource: Resource,
      all: readonly { readonly id: number; readonly slug: string }[],
    ): void => {
      expect(new Set(all.map(({ slug }) => slug)).size).toBe(all.length)
      expect(all.map(({ id }) => id)).toEqual(all.map((_, index) => index + 1))
      for (const row of all) resource.schema.parse(complete(row))
    }
    check(categories, sample.categories)
    check(brands, sample.brands)
    check(products, rows)
    expect(sample.categories).toHaveLength(40)
    expect(sample.brands).toHaveLength(200)
    for (const { id, parentId } of sample.categories) expect(parentId ?? 0).toBeLessThan(id)
    for (const { categoryId, brandId } of rows) {
      expect(sample.categories[categoryId - 1]).toBeDefined()
      expect(sample.brands[brandId - 1]).toBeDefined()
    }
  })
})

const complete = (row: object): Row => ({ ...row, version: 1, updatedAt: new Date(0) })
