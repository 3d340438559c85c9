/**
 * W3C Trace Context, level 1: the `traceparent` request header.
 * https://www.w3.org/TR/trace-context/#traceparent-header
 */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits: the caller's span. */
  readonly parentId: string
  readonly isSampled: boolean
  /** As received, to be handed on. */
  readonly traceparent: string
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)
const LONGEST = 256

/** Undefined when the header is absent or not valid: the standard says to carry on as if none had been sent. */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  if (header === undefined || header.length > LONGEST) return undefined
  const match = TRACEPARENT.exec(header)
  if (match === null) return undefined
  const [, version, traceId, parentId, flags, rest] = match as unknown as string[]
  if (version === 'ff' || traceId === NO_TRACE || parentId === NO_SPAN) return undefined
  if (version === '00' && rest !== undefined) return undefined
  return {
    traceId: traceId!,
    parentId: parentId!,
    isSampled: (Number.parseInt(flags!, 16) & 1) === 1,
    traceparent: header,
  }
}
