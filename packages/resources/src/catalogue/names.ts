import { z } from 'zod'

/** Name in URLs: `steel-kettle-12`. */
export const slug = z
  .string()
  .max(120)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)

export const name = z.string().min(1).max(200)
