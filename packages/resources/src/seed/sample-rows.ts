/**
 * The rows of the sample shop. The same seed gives the same rows, on any machine: only whole numbers and picks from
 * lists go into them, and the dates count back from a fixed day.
 */
import type { z } from 'zod'

import type { Brand } from '../catalogue/brands.js'
import type { Category } from '../catalogue/categories.js'
import type { Product } from '../catalogue/products.js'
import type { Random } from './random.js'
import { createRandom } from './random.js'
import {
  brandHeads,
  brandTails,
  colours,
  countries,
  departments,
  materials,
  sentences,
  styles,
} from './words.js'

/** Without what the database sets. */
type Sample<Schema extends z.ZodType> = Omit<z.infer<Schema>, 'version' | 'updatedAt'>

export interface SampleRows {
  /** Eight departments and their shelves; a parent stands before its children. */
  readonly categories: readonly Sample<typeof Category>[]
  readonly brands: readonly Sample<typeof Brand>[]
  /** About 1 KB of JSON each; made one by one as they are asked for. */
  products(): Generator<Sample<typeof Product>>
}

export interface SampleSize {
  readonly products: number
  readonly seed: number
}

const dayMs = 86_400_000
const lastDayMs = Date.UTC(2026, 0, 1)
const oneDay = (random: Random): Date => new Date(lastDayMs - random.between(0, 1000) * dayMs)

const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')

export function sampleRows({ products, seed }: SampleSize): SampleRows {
  const random = createRandom(seed)
  const categories: Sample<typeof Category>[] = []
  const shelves: { readonly categoryId: number; readonly nouns: readonly string[] }[] = []
  const addCategory = (name: string, slug: string, parentId: number | null): number => {
    const id = categories.length + 1
    categories.push({ id, slug, name, parentId, createdAt: oneDay(random) })
    return id
  }
  for (const [department, parts] of Object.entries(departments)) {
    const parentId = addCategory(department, slugOf(department), null)
    for (const [shelf, nouns] of Object.entries(parts)) {
      const categoryId = addCategory(shelf, slugOf(`${department} ${shelf}`), parentId)
      shelves.push({ categoryId, nouns })
    }
  }
  const brands = brandHeads
    .flatMap((head) => brandTails.map((tail) => `${head} ${tail}`))
    .map((name, index) => ({
      ...{ id: index + 1, slug: slugOf(name), name },
      ...{ country: random.pick(countries), createdAt: oneDay(random) },
    }))

  return {
    categories,
    brands,
    *products() {
      // A sequence of its own: walking the products twice gives the same rows twice.
      const own = createRandom(seed + 1)
      for (let id = 1; id <= products; id++) yield sampleProduct(own, id, own.pick(shelves), brands.length)
    },
  }
}

function sampleProduct(
  random: Random,
  id: number,
  shelf: { readonly categoryId: number; readonly nouns: readonly string[] },
  brandCount: number,
): Sample<typeof Product> {
  const material = random.pick(materials)
  const name = `${random.pick(styles)} ${material} ${random.pick(shelf.nouns)}`
  const start = random.between(0, sentences.length - 1)
  const text = Array.from({ length: 9 }, (_, index) => sentences[(start + index) % sentences.length])
  return {
    id,
    slug: `${slugOf(name)}-${id}`,
    name,
    description: `${name}. ${text.join(' ')}`,
    categoryId: shelf.categoryId,
    brandId: random.between(1, brandCount),
    priceCents: random.between(2, 500) * 100 - 1,
    stock: random.between(0, 250),
    attributes: {
      colour: random.pick(colours),
      material: material.toLowerCase(),
      weightGrams: random.between(20, 12_000),
      widthMm: random.between(20, 1800),
      heightMm: random.between(20, 1800),
      depthMm: random.between(10, 900),
      warrantyMonths: random.pick([12, 24, 36, 60]),
      recyclable: random.between(0, 1) === 1,
      ean: `40${random.between(10_000, 99_999)}${String(id).padStart(6, '0')}`,
    },
    createdAt: oneDay(random),
  }
}
