export type ResourceErrorCode =
  /** A definition or a registry contradicts itself; found when it is defined. */
  | 'resource.definition'
  /** A body does not fit the schema. */
  | 'resource.input'
  /** A list parameter is unknown, doubled or not a value of its field. */
  | 'resource.query'
  /** A cursor is damaged, or was made by another query. */
  | 'resource.cursor'
  /** More ids in one batch than `batchLimit`. */
  | 'resource.batch'
  /** The Prisma client has no such model. */
  | 'resource.model'
  /** Changes of a resource's table are not captured, or a migration about that cannot be read. */
  | 'resource.capture'

export interface Issue {
  /** Dotted path of the field or name of the parameter; empty for the whole. */
  readonly field: string
  readonly message: string
}

/**
 * The one failure of this package. `issues` names every mistake that was found, not just the first.
 * All codes but `resource.definition`, `resource.model` and `resource.capture` are the asker's mistake.
 */
export class ResourceError extends Error {
  override readonly name = 'ResourceError'
  readonly code: ResourceErrorCode
  readonly issues: readonly Issue[]

  constructor(code: ResourceErrorCode, subject: string, issues: readonly Issue[]) {
    const list = issues.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`))
    super(`${subject}: ${list.join('; ')}`)
    this.code = code
    this.issues = issues
  }
}
