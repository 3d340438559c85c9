import { z } from 'zod'

import { defineResource } from '../define-resource.js'
import { name, slug } from './names.js'

export const Brand = z.object({
  id: z.int32(),
  slug,
  name,
  /** ISO 3166-1 alpha-2. */
  country: z.string().regex(/^[A-Z]{2}$/),
  version: z.int32(),
  createdAt: z.date(),
  updatedAt: z.date(),
})

export const brands = defineResource({
  name: 'brands',
  model: 'Brand',
  schema: Brand,
  facets: ['country'],
  unique: ['slug'],
  sort: ['name'],
  cache: { ttl: '1h', grace: '1d', level: 'bounded', maxLag: '2s' },
  access: { read: ['catalog:read'], write: ['catalog:write'] },
})
