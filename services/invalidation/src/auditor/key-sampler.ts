/**
 * Which keys the auditor looks at: most often what is asked for most, then what changed last, and now and then any row, so
 * that nothing is out of its sight for good.
 */
import type { FollowEvent, LiveFollower } from '@tidemark/log'
import type { Registry, Resource } from '@tidemark/resources'
import { ResourceError } from '@tidemark/resources'
import type { HotIndex } from '../warm/hot-index.js'

export interface KeySampler {
  next(): Promise<string | undefined>
  stop(): void
}

export interface KeySamplerOptions {
  readonly registry: Registry
  readonly tide: LiveFollower
  readonly hot: HotIndex
  /** The id of any row, as text; undefined: there is none. */
  readonly anyRow: (resource: Resource) => Promise<string | undefined>
  readonly random?: () => number
}

const shares = { hot: 0.45, changed: 0.4 }
/** Tags of changes that are remembered. */
const changedMax = 1_000
/** Of one entry of the log, so that a bulk change does not push all others out. */
const changedOfOneMax = 50

export function keySampler({
  registry,
  tide,
  hot,
  anyRow,
  random = Math.random,
}: KeySamplerOptions): KeySampler {
  const changed: string[] = []
  const unlisten = tide.listen((event: FollowEvent) => {
    if (event.kind !== 'applied') return
    changed.push(...event.entry.tags.slice(0, changedOfOneMax))
    changed.splice(0, Math.max(0, changed.length - changedMax))
  })

  /** By heat: a key that is asked for twice as much is looked at twice as often. */
  const hotKey = (): string | undefined => {
    const all = hot.all
    let left = random() * all.reduce((sum, { heat }) => sum + heat, 0)
    return all.find(({ heat }) => (left -= heat) <= 0)?.key
  }

  /** The latest ones most. */
  const changedKey = (): string | undefined => {
    const tag = changed[changed.length - 1 - Math.floor(changed.length * random() ** 3)]
    return tag === undefined ? undefined : keyOf(registry, tag)
  }

  const rareKey = async (): Promise<string | undefined> => {
    const resource = registry.all[Math.floor(random() * registry.all.length)]
    if (resource === undefined) return undefined
    const text = await anyRow(resource)
    const id = text === undefined ? undefined : resource.parseId(text)
    return id === undefined ? undefined : resource.entityKey(id)
  }

  return {
    async next() {
      const draw = random()
      const preferred =
        draw < shares.hot ? hotKey() : draw < shares.hot + shares.changed ? changedKey() : undefined
      return preferred ?? (await rareKey())
    },
    stop: unlisten,
  }
}

/** The row, or the list, that a tag is about: `product:42`, `product`, `product.categoryId=7`. */
export function keyOf(registry: Registry, tag: string): string | undefined {
  const [, name, kind, rest] = /^([a-z][A-Za-z0-9]*)(?:([:.])(.+))?$/s.exec(tag) ?? []
  const resource = name === undefined ? undefined : registry.byTagName(name)
  if (resource === undefined) return undefined
  if (kind === ':') {
    const id = resource.parseId(rest!)
    return id === undefined ? undefined : resource.entityKey(id)
  }
  const equals = rest?.indexOf('=') ?? -1
  const search =
    rest === undefined
      ? ''
      : new URLSearchParams([[rest.slice(0, equals), rest.slice(equals + 1)]]).toString()
  try {
    return resource.listKey(resource.parseListQuery(search))
  } catch (error) {
    if (error instanceof ResourceError) return undefined
    throw error
  }
}
