/**
 * What can be done to a row. Each command is a function of a transaction: it commits as a whole or leaves no trace, and
 * several can share one transaction. Every update and delete names the version it was decided on, so of two that
 * decided on the same version one fails, whatever the isolation level.
 */
import type { Id, Resource, ResourceWriter, Row } from '@tidemark/resources'
import { prismaReader, prismaWriter, represent } from '@tidemark/resources'
import { parsePart, Problem } from '@tidemark/service'
import type { Json } from './merge-patch.js'
import { mergePatch } from './merge-patch.js'
import type { Outcome } from './outcome.js'
import { noContent, rowOutcome } from './outcome.js'
import type { Precondition } from './precondition.js'
import { mismatch, requireMatch } from './precondition.js'

/** `tx`: a Prisma transaction. */
export type Command = (tx: object) => Promise<Outcome>

/** How often a command without If-Match decides anew when somebody else was quicker. */
const attemptsMax = 5

export function createRow(resource: Resource, data: Row): Command {
  return async (tx) => rowOutcome(201, resource, await prismaWriter(resource).create(tx, data))
}

export function replaceRow(resource: Resource, id: Id, data: Row, ifMatch?: Precondition): Command {
  return updateRow(resource, id, ifMatch, () => data)
}

/** `patch` is merged into the row as clients see it, and the result must be a valid row. */
export function patchRow(resource: Resource, id: Id, patch: Row, ifMatch?: Precondition): Command {
  return updateRow(resource, id, ifMatch, (row) => {
    const present = JSON.parse(represent(resource, row).body.toString()) as Record<string, Json>
    const writable = Object.keys(resource.schemas.replace.shape)
    const before = Object.fromEntries(writable.map((name) => [name, present[name]!]))
    const merged = mergePatch(before, patch as Json) as Record<string, Json>
    for (const name of writable) if (resource.fields.get(name)!.isNullable) merged[name] ??= null
    const data = parsePart('body', resource.schemas.replace, merged)
    return Object.fromEntries(Object.keys(patch).map((name) => [name, data[name]]))
  })
}

function updateRow(
  resource: Resource,
  id: Id,
  ifMatch: Precondition | undefined,
  dataFor: (row: Row) => Row,
): Command {
  return decide(resource, id, ifMatch, async (writer, tx, row) => {
    const updated = await writer.update(tx, id, dataFor(row), row.version as number)
    return updated.kind === 'updated' ? rowOutcome(200, resource, updated.row) : updated
  })
}

export function deleteRow(resource: Resource, id: Id, ifMatch?: Precondition): Command {
  return decide(resource, id, ifMatch, async (writer, tx, row) => {
    const deleted = await writer.delete(tx, id, row.version as number)
    return deleted.kind === 'deleted' ? noContent : deleted
  })
}

type Overtaken = { readonly kind: 'missing' } | { readonly kind: 'conflict'; readonly row: Row }

function decide(
  resource: Resource,
  id: Id,
  ifMatch: Precondition | undefined,
  act: (writer: ResourceWriter, tx: object, row: Row) => Promise<Outcome | Overtaken>,
): Command {
  const writer = prismaWriter(resource)
  return async (tx) => {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const row = (await prismaReader(resource, () => tx).findMany([id])).get(id)
      if (row === undefined) throw missing(resource, id)
      requireMatch(resource, row, ifMatch)
      const result = await act(writer, tx, row)
      if (!('kind' in result)) return result
      if (result.kind === 'missing') throw missing(resource, id)
      if (ifMatch !== undefined && ifMatch !== 'any')
        throw mismatch(ifMatch, represent(resource, result.row).etag)
    }
    throw new Problem('conflict', {
      detail: `${resource.tagName} ${id} is being changed by many at once: try again.`,
      headers: { 'Retry-After': '1' },
    })
  }
}

function missing(resource: Resource, id: Id): Problem {
  return new Problem('not-found', {
    detail: `There is no ${resource.tagName} ${id}.`,
    errors: [{ in: 'path', field: 'id', message: 'names nothing', given: id }],
  })
}
