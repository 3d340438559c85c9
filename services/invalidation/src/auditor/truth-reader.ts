/**
 * What the origin holds, read around the cache: rows and the position of the log in one snapshot, so that the truth is that
 * of a known position. What is committed before the call has a position beforehand; else it would look like a change
 * that came after.
 */
import type { Database } from '@tidemark/database'
import type { Address, FindRows, Representation, Row } from '@tidemark/resources'
import { prismaReader, readRelated, represent, representList, tagsOf } from '@tidemark/resources'
import type { Token } from '@tidemark/tide'
import { digestOf, nothing } from './asked-state.js'
import type { State } from './target.js'

export interface PlacedState {
  readonly state: State
  readonly at: Token
  /** All that it depends on, what it embeds too: where none of these is touched, it stays as it is. */
  readonly tags: readonly string[]
}

interface ClockRow {
  readonly term: number
  readonly position: bigint
}

/** @throws what Prisma throws */
export function readTruth(database: Database, address: Address): Promise<PlacedState> {
  const { view } = address
  const { resource } = view
  return database.prisma.$transaction(
    async (tx) => {
      const [clock] = await tx.$queryRaw<ClockRow[]>`SELECT term, position FROM tidemark.clock`
      const at = { term: clock!.term, position: Number(clock!.position) }
      const find: FindRows = (of, ids) => prismaReader(of, () => tx).findMany(ids)
      const placed = (rows: readonly Row[], state: State): PlacedState => ({
        ...{ at, state },
        tags: [...tagsOf(address), ...view.shownTags(rows)],
      })
      if (address.kind === 'list') {
        const page = await prismaReader(resource, () => tx).list(address.query)
        const embed = await readRelated(view, page.rows, find)
        return placed(page.rows, stateOf(representList(resource, page, embed), undefined))
      }
      const row = (await find(resource, [address.id])).get(address.id)
      if (row === undefined) return placed([], nothing)
      const embed = await readRelated(view, [row], find)
      return placed([row], stateOf(represent(resource, row, embed(row)), Number(row['version'])))
    },
    { isolationLevel: 'RepeatableRead' },
  )
}

const stateOf = ({ body }: Representation, version: number | undefined): State => ({
  isPresent: true,
  digest: digestOf(body),
  version,
})
