import type { z } from 'zod'

/** Marks a field whose value must never be shown, not even in the message that says it is wrong. */
export function secret<S extends z.ZodType>(schema: S): S {
  return schema.meta({ ...schema.meta(), secret: true })
}

/** Looks through `optional`, `default`, `prefault` and pipes for the mark. */
export function isSecret(schema: unknown): boolean {
  for (let current = schema as z.core.$ZodType | undefined; current !== undefined; current = inner(current)) {
    if ((current as z.ZodType).meta()?.secret === true) return true
  }
  return false
}

function inner(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  const definition = schema._zod.def as { innerType?: z.core.$ZodType; in?: z.core.$ZodType }
  return definition.innerType ?? definition.in
}
