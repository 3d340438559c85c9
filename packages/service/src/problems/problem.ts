import { problemTypes, type ProblemKind, type ProblemType } from './problem-types.js'

/** Where in a request a wrong field is. */
export type RequestPart = 'path' | 'query' | 'header' | 'body'

/** One wrong field: a JSON pointer (RFC 6901) inside a body, otherwise the parameter's name. */
export interface FieldError {
  readonly in?: RequestPart
  readonly field: string
  readonly message: string
  /** What was sent, if it is short and no secret. */
  readonly given?: string | number | boolean | null
  readonly allowed?: string
}

export interface ProblemOptions {
  /** What is wrong with this very request, for a person. Sent outward: no internals. */
  readonly detail?: string
  readonly errors?: readonly FieldError[]
  /** More response headers, such as `Retry-After` (seconds) or `Allow`. */
  readonly headers?: Readonly<Record<string, string>>
  /** More members of the document (RFC 9457, section 3.2). */
  readonly extensions?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** The JSON document of RFC 9457, as sent with `application/problem+json`. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly errors?: readonly FieldError[]
  readonly requestId?: string
  readonly [extension: string]: unknown
}

/**
 * An answer that says what went wrong. Throw it from a handler; everything else that is thrown is turned into one.
 *
 * @example throw new Problem('not-found', { detail: `There is no product ${id}.` })
 */
export class Problem extends Error {
  readonly type: string
  readonly status: number
  readonly title: string
  readonly detail: string | undefined
  readonly errors: readonly FieldError[] | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(kind: ProblemKind | ProblemType, options: ProblemOptions = {}) {
    const { type, status, title } = typeof kind === 'string' ? problemTypes[kind] : kind
    super(options.detail ?? title, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.type = type
    this.status = status
    this.title = title
    this.detail = options.detail
    this.errors = options.errors
    this.headers = options.headers ?? {}
    this.extensions = options.extensions ?? {}
  }

  /** Absent members are left out. The standard members win over extensions of the same name. */
  toDocument(requestId?: string): ProblemDocument {
    return {
      ...this.extensions,
      type: this.type,
      title: this.title,
      status: this.status,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
      ...(this.errors === undefined ? {} : { errors: this.errors }),
      ...(requestId === undefined ? {} : { requestId }),
    }
  }
}
