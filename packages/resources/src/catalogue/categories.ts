import { z } from 'zod'

import { defineResource } from '../define-resource.js'
import { name, slug } from './names.js'

export const Category = z.object({
  id: z.int32(),
  slug,
  name,
  parentId: z.int32().nullable(),
  version: z.int32(),
  createdAt: z.date(),
  updatedAt: z.date(),
})

export const categories = defineResource({
  name: 'categories',
  model: 'Category',
  schema: Category,
  facets: ['parentId'],
  unique: ['slug'],
  sort: ['name'],
  includes: { parent: { resource: 'categories', field: 'parentId' } },
  cache: { ttl: '1h', grace: '1d', level: 'bounded', maxLag: '2s' },
  access: { read: ['catalog:read'], write: ['catalog:write'] },
})
