import type { Resource } from './define-resource.js'
import { ResourceError } from './errors.js'
import type { Issue } from './errors.js'
import { resolveRelations } from './includes/relation.js'
import type { Relation } from './includes/relation.js'
import { createView } from './includes/view.js'
import type { View } from './includes/view.js'

export interface Registry {
  /** In the order they were given. */
  readonly all: readonly Resource[]
  /** By name in the URL: `products`. */
  byName(name: string): Resource | undefined
  /** By name in tags: `product`. */
  byTagName(tagName: string): Resource | undefined
  /** What rows of `resource` can be shown with, by name. */
  relations(resource: Resource): readonly Relation[]
  /** Rows of `resource`, shown with the relations of these names. The same object for the same names. */
  view(resource: Resource, include: readonly string[]): View
}

/**
 * Throws `resource.definition` when two resources share a name or a model, so that their keys or tags would mix, or when a
 * relation leads nowhere.
 */
export function createRegistry(all: readonly Resource[]): Registry {
  const byName = new Map(all.map((resource) => [resource.name, resource]))
  const byTagName = new Map(all.map((resource) => [resource.tagName, resource]))
  const twice = all.filter(
    (resource) => byName.get(resource.name) !== resource || byTagName.get(resource.tagName) !== resource,
  )
  const issues: Issue[] = twice.map(({ name, model }) => ({
    field: name,
    message: `name or model ${model} is taken`,
  }))
  const relations = new Map(all.map((resource) => [resource, resolveRelations(resource, byName, issues)]))
  if (issues.length > 0) throw new ResourceError('resource.definition', 'registry', issues)

  const views = new Map(all.map((resource) => [resource, new Map<string, View>()]))
  const relationsOf = (resource: Resource): readonly Relation[] => relations.get(resource) ?? []
  return {
    all: [...all],
    byName: (name) => byName.get(name),
    byTagName: (tagName) => byTagName.get(tagName),
    relations: relationsOf,
    view(resource, include) {
      const shown = relationsOf(resource).filter(({ name }) => include.includes(name))
      const made = views.get(resource)
      const names = shown.map(({ name }) => name).join(',')
      const view = made?.get(names) ?? createView(resource, shown)
      made?.set(names, view)
      return view
    },
  }
}
