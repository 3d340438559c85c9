/**
 * Whether a table's changes are captured as somebody needs them to be.
 *
 * A reader must not start before the triggers touch every tag that it will carry; the other way round is no fault. So more
 * facets than are wanted are right: while a release is rolled out, the migration is ahead of the services.
 */
import { readCaptureState } from './read-state.js'
import type { CapturedPlace, CaptureState, CatalogueQuery } from './read-state.js'

/** What somebody needs of a table's triggers: the arguments of `tidemark.watch()`. */
export interface Capture {
  readonly table: string
  /** In tags: `product`. */
  readonly name: string
  /** Column of the key. */
  readonly key: string
  /** API field -> column. */
  readonly facets: Readonly<Record<string, string>>
}

export type CaptureFault =
  /** The log's migrations have not run. */
  | { readonly kind: 'no-log' }
  /** Definitions go unseen: only a superuser may make event triggers. No hindrance to a start. */
  | { readonly kind: 'no-event-trigger'; readonly triggers: readonly string[] }
  | { readonly kind: 'no-table'; readonly table: string }
  /** It has none of the triggers. */
  | { readonly kind: 'not-watched'; readonly table: string; readonly place: string }
  /** It was watched with other arguments: `problem` says which. */
  | { readonly kind: 'differs'; readonly table: string; readonly place: string; readonly problem: string }
  /** A trigger is missing, disabled, or made for other columns than the table has. */
  | { readonly kind: 'trigger'; readonly table: string; readonly place: string; readonly problem: string }
  /** Triggers are there but `tidemark.watched` does not have it: its definitions go unseen. */
  | { readonly kind: 'forgotten'; readonly table: string; readonly place: string }

const eventTriggers = ['tidemark_alter', 'tidemark_detach', 'tidemark_drop', 'tidemark_rewrite']

const inWords: Readonly<Record<string, string>> = {
  A: 'ENABLE ALWAYS',
  D: 'DISABLE',
  O: 'ENABLE',
  R: 'ENABLE REPLICA',
}

/** Every fault there is, in the order of `wanted`. Throws what the query throws. */
export async function inspectCapture(
  query: CatalogueQuery,
  wanted: readonly Capture[],
): Promise<CaptureFault[]> {
  const state = await readCaptureState(
    query,
    wanted.map(({ table }) => table),
  )
  if (!state.hasLog) return [{ kind: 'no-log' }]
  return [...wanted.flatMap((capture) => faultsOfTable(state, capture)), ...faultsOfDefinitions(state)]
}

function faultsOfDefinitions({ eventTriggers: found }: CaptureState): CaptureFault[] {
  const missing = eventTriggers.filter((name) => found.get(name) !== 'A')
  return missing.length === 0 ? [] : [{ kind: 'no-event-trigger', triggers: missing }]
}

function faultsOfTable(state: CaptureState, capture: Capture): CaptureFault[] {
  const { table } = capture
  const places = state.places.get(table) ?? []
  if (places.length === 0) return [{ kind: 'no-table', table }]
  const isPartitioned = places[0]!.isPartitioned
  return places.flatMap((place): CaptureFault[] => {
    const at = { table, place: place.place }
    if (place.triggers.length === 0) return [{ kind: 'not-watched', ...at }]
    const differs = differences(place, capture)
    if (differs.length > 0) return differs.map((problem) => ({ kind: 'differs', ...at, problem }))
    const broken = triggerProblems(place, isPartitioned)
    if (broken.length > 0) return broken.map((problem) => ({ kind: 'trigger', ...at, problem }))
    return place.isWrittenDown === false ? [{ kind: 'forgotten', ...at }] : []
  })
}

/** Compared with every trigger that calls `tidemark.capture`: one of them may have been made by hand. */
function differences({ triggers }: CapturedPlace, { name, key, facets }: Capture): string[] {
  const problems = new Set<string>()
  for (const { arguments: given } of triggers) {
    // Of those that do not capture the first argument is no name, or there is none.
    if (given.length !== 4) continue
    if (given[0] !== name) problems.add(`it is captured as "${given[0]}", not as "${name}"`)
    if (given[1] !== key) problems.add(`its key is captured from column ${given[1]}, not from ${key}`)
    const captured = JSON.parse(given[2]!) as Record<string, string>
    for (const [field, column] of Object.entries(facets)) {
      if (captured[field] === column) continue
      problems.add(
        captured[field] === undefined
          ? `field ${field} (column ${column}) is not captured`
          : `field ${field} is captured from column ${captured[field]}, not from ${column}`,
      )
    }
  }
  return [...problems]
}

function triggerProblems(place: CapturedPlace, isFamilyPartitioned: boolean): string[] {
  const found = new Map(place.triggers.map((trigger) => [trigger.name, trigger]))
  return wantedTriggers(place, isFamilyPartitioned).flatMap(([name, enabled]) => {
    const trigger = found.get(name)
    if (trigger === undefined) return [`trigger ${name} is missing`]
    if (trigger.enabled !== enabled)
      return [`trigger ${name} is set to ${inWords[trigger.enabled]}, and must be ${inWords[enabled]}`]
    const stamps = [place.hasVersion, place.hasUpdatedAt].map((has) => (has ? 't' : 'f')).join()
    if (name === 'tidemark_stamp' && trigger.arguments.join() !== stamps)
      return [`trigger ${name} is made for other columns than the table has`]
    return []
  })
}

function wantedTriggers(place: CapturedPlace, isFamilyPartitioned: boolean): [string, string][] {
  const triggers: [string, string][] = [
    ['tidemark_insert', 'O'],
    ['tidemark_update', 'O'],
    ['tidemark_delete', 'O'],
    ['tidemark_truncate', 'A'],
    ['tidemark_row', 'R'],
  ]
  if (place.hasVersion || place.hasUpdatedAt) triggers.push(['tidemark_stamp', 'A'])
  if (isFamilyPartitioned) triggers.push(['tidemark_moving', 'O'], ['tidemark_moved', 'O'])
  if (place.isPartitioned) triggers.push(['tidemark_settled', 'O'])
  return triggers
}
