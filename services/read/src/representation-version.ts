import { createHash } from 'node:crypto'
import type { Registry } from '@tidemark/resources'

/**
 * A name for the shape of all answers. It is part of the cache's namespace, so that a deployment that adds or drops a
 * field never serves the bytes of the one before it, also while both run.
 */
export function representationVersion(registry: Registry): string {
  const shape = registry.all.map(({ name, fields, includes }) => [
    name,
    [...fields.values()].map((field) => [field.name, field.kind]),
    [...includes].map(([relation, { resource, field }]) => [relation, resource, field]),
  ])
  return createHash('sha256').update(JSON.stringify(shape)).digest('hex').slice(0, 8)
}
