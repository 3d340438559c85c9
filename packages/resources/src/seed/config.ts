import { z } from 'zod'

import { defaultSize } from './seed.js'

const Environment = z.object({
  DATABASE_URL: z.string({ error: 'is not set: give it as postgres://user:password@host:5432/name' }).min(1),
  SEED_PRODUCTS: z
    .string()
    .regex(/^\d{1,7}$/, { error: 'must be a whole number of at most 7 digits' })
    .transform(Number)
    .default(defaultSize.products),
})

/** What the command `seed-main` needs from the environment. Throws an Error that names every mistake. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): { url: string; products: number } {
  const result = Environment.safeParse(env)
  if (result.success) return { url: result.data.DATABASE_URL, products: result.data.SEED_PRODUCTS }
  throw new Error(result.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '))
}
