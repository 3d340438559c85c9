import { z } from 'zod'

import { defineResource } from '../define-resource.js'
import { name, slug } from './names.js'

const attribute = z.union([z.string().max(200), z.number(), z.boolean()])

export const Product = z.object({
  id: z.int32(),
  slug,
  name,
  description: z.string().max(4000),
  categoryId: z.int32(),
  brandId: z.int32(),
  priceCents: z.int32().min(0),
  stock: z.int32().min(0).default(0),
  attributes: z.record(z.string().max(60), attribute).default({}),
  version: z.int32(),
  createdAt: z.date(),
  updatedAt: z.date(),
})

export const products = defineResource({
  name: 'products',
  model: 'Product',
  schema: Product,
  facets: ['categoryId', 'brandId'],
  unique: ['slug'],
  sort: ['name', 'priceCents', 'createdAt'],
  includes: {
    category: { resource: 'categories', field: 'categoryId' },
    brand: { resource: 'brands', field: 'brandId' },
  },
  cache: { ttl: '10m', grace: '1h', level: 'bounded', maxLag: '2s' },
  access: { read: ['catalog:read'], write: ['catalog:write'] },
})
