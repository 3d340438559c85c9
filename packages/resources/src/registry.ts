import { ResourceError } from './errors.js'
import type { Resource } from './define-resource.js'

export interface Registry {
  /** In the order they were given. */
  readonly all: readonly Resource[]
  /** By name in the URL: `products`. */
  byName(name: string): Resource | undefined
  /** By name in tags: `product`. */
  byTagName(tagName: string): Resource | undefined
}

/** Throws `resource.definition` when two resources share a name or a model: their keys or tags would mix. */
export function createRegistry(all: readonly Resource[]): Registry {
  const byName = new Map(all.map((resource) => [resource.name, resource]))
  const byTagName = new Map(all.map((resource) => [resource.tagName, resource]))
  const twice = all.filter(
    (resource) => byName.get(resource.name) !== resource || byTagName.get(resource.tagName) !== resource,
  )
  if (twice.length > 0) {
    const issues = twice.map(({ name, model }) => ({
      field: name,
      message: `name or model ${model} is taken`,
    }))
    throw new ResourceError('resource.definition', 'registry', issues)
  }
  return {
    all: [...all],
    byName: (name) => byName.get(name),
    byTagName: (tagName) => byTagName.get(tagName),
  }
}
