import type { Resource } from './define-resource.js'
import { ResourceError } from './errors.js'
import type { Id } from './id.js'
import { parseInclude } from './includes/include-parameter.js'
import type { View } from './includes/view.js'
import type { ListQuery } from './list-query.js'
import type { Registry } from './registry.js'

/** What a canonical URL, which is a cache key too, names. */
export type Address =
  | { readonly kind: 'one'; readonly view: View; readonly id: Id }
  | { readonly kind: 'list'; readonly view: View; readonly query: ListQuery }

/** Undefined: nothing of this registry, or spelled otherwise than its key is. */
export function addressOf(registry: Registry, url: string): Address | undefined {
  const [, name, text, search = ''] = /^\/v1\/([A-Za-z0-9]+)(?:\/([^/?]+))?(?:\?(.*))?$/s.exec(url) ?? []
  const resource = name === undefined ? undefined : registry.byName(name)
  if (resource === undefined) return undefined
  const address =
    text === undefined ? listAt(registry, resource, search) : oneAt(registry, resource, text, search)
  return address !== undefined && keyAt(address) === url ? address : undefined
}

/** The cache key of what is there. */
export function keyAt(address: Address): string {
  const { resource, relations } = address.view
  if (address.kind === 'list') return resource.listKey(address.query)
  return resource.entityKey(
    address.id,
    relations.map((relation) => relation.name),
  )
}

/** What the answer under `address` depends on, as far as its URL tells: not what it embeds. */
export function tagsOf(address: Address): readonly string[] {
  const { tags } = address.view.resource
  return address.kind === 'one' ? tags.entity(address.id) : tags.list(address.query)
}

function oneAt(registry: Registry, resource: Resource, text: string, search: string): Address | undefined {
  const id = resource.parseId(text)
  const include = includeOf(resource, search)
  if (id === undefined || include === undefined) return undefined
  return { kind: 'one', view: registry.view(resource, include), id }
}

function includeOf({ includes }: Resource, search: string): readonly string[] | undefined {
  if (search === '') return []
  const parameter = 'include='
  return search.startsWith(parameter)
    ? parseInclude([...includes.keys()], search.slice(parameter.length))
    : undefined
}

function listAt(registry: Registry, resource: Resource, search: string): Address | undefined {
  try {
    const query = resource.parseListQuery(search)
    return { kind: 'list', view: registry.view(resource, query.include), query }
  } catch (error) {
    if (error instanceof ResourceError) return undefined
    throw error
  }
}
