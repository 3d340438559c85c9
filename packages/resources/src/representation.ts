/**
 * What a client gets of a row or a page: the bytes of its JSON and a strong validator for them.
 *
 * The bytes are made once, when a value is loaded; every later answer sends these bytes. Fields stand in the order of
 * the schema, so equal rows have equal bytes. The ETag holds the version for people and a hash of the bytes for truth:
 * a row that is deleted and made again under its old id begins at version 1 again, and only the hash tells them apart.
 */
import { createHash } from 'node:crypto'

import type { Resource, Row } from './define-resource.js'
import type { Embed, Embedded } from './includes/embed.js'
import { parseInput } from './parse-input.js'

export interface Representation {
  /** UTF-8 JSON. */
  readonly body: Buffer
  /** With its quotes, as in the header (RFC 9110 §8.8.3). */
  readonly etag: string
}

/** A page as the origin gives it. */
export interface ListPage {
  readonly rows: readonly Row[]
  /** Null on the last page. */
  readonly nextCursor: string | null
}

/** With `embedded` rows after the fields, each under the name of its relation; the ETag covers them too. */
export function represent(
  resource: Resource,
  row: Row,
  embedded: readonly Embedded[] = nothing,
): Representation {
  const body = toJson(resource, row, embedded)
  return { body, etag: `"${Number(row.version)}-${hash(body)}"` }
}

/** `{ "data": […], "nextCursor": … }` */
export function representList(
  resource: Resource,
  { rows, nextCursor }: ListPage,
  embed: Embed = () => nothing,
): Representation {
  const data = joinBodies(rows.map((row) => toJson(resource, row, embed(row))))
  const body = Buffer.concat([
    Buffer.from('{"data":'),
    data,
    Buffer.from(`,"nextCursor":${JSON.stringify(nextCursor)}}`),
  ])
  return { body, etag: `"${hash(body)}"` }
}

/** A JSON array of bodies that are ready, for batches: nothing is parsed or printed again. */
export function joinBodies(bodies: readonly Buffer[]): Buffer {
  const comma = Buffer.from(',')
  const items = bodies.flatMap((body, index) => (index === 0 ? [body] : [comma, body]))
  return Buffer.concat([Buffer.from('['), ...items, Buffer.from(']')])
}

/** The row out of its representation, dates as `Date`. Throws `resource.input` when it is not one of this resource. */
export function parseRow(resource: Resource, body: Buffer | string): Row {
  const subject = `row of ${resource.name}`
  const json = parseInput(resource.schemas.row, subject, JSON.parse(body.toString()) as unknown)
  const row: Record<string, unknown> = {}
  for (const { name, kind } of resource.fields.values()) {
    const value = json[name]
    row[name] = kind === 'date' && value !== null ? new Date(value as string) : value
  }
  return row
}

function toJson(resource: Resource, row: Row, embedded: readonly Embedded[]): Buffer {
  const ordered = inOrder(resource, row)
  for (const { relation, row: related } of embedded)
    ordered[relation.name] = related === null ? null : inOrder(relation.resource, related)
  return Buffer.from(JSON.stringify(ordered))
}

function inOrder({ fields }: Resource, row: Row): Record<string, unknown> {
  const ordered: Record<string, unknown> = {}
  for (const name of fields.keys()) ordered[name] = row[name]
  return ordered
}

const nothing: readonly Embedded[] = []

/** 96 bits: two different bodies of one URL meet in one hash less often than memory fails. */
const hash = (body: Buffer): string => createHash('sha256').update(body).digest('base64url').slice(0, 16)
