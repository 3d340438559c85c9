import type { AsyncLocalStorage } from 'node:async_hooks'
import type { TracingChannel } from 'node:diagnostics_channel'

import type { Attributes, Context, Span, SpanOptions, TracerProvider } from '@opentelemetry/api'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'

import type { L2Trace, LoadTrace } from '../events/cache-events.js'
import { l2Traces, loadTraces } from '../events/channels.js'
import { attributes, operations, scope } from './names.js'

export interface TraceOptions {
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider
  /** Whether spans name the keys, which may hold personal data. Default false. */
  readonly recordKeys?: boolean
}

/**
 * A span for each load, which is the parent of what the loader does, and one for each call of Redis; for all caches of this
 * process. Hits in memory have none. Gives the function that ends it.
 *
 * @example const stop = traceCaches()
 */
export function traceCaches({ tracerProvider, recordKeys = false }: TraceOptions = {}): () => void {
  const tracer = (tracerProvider ?? trace).getTracer(scope)
  const start = (name: string, options: SpanOptions): Span => tracer.startSpan(name, options)
  const endLoads = spanEach<LoadTrace>(loadTraces(), {
    start: ({ namespace, kind, keys }) =>
      start(`load ${kind === '' ? namespace : kind}`, {
        attributes: {
          [attributes.namespace]: namespace,
          [attributes.kind]: kind,
          [attributes.keyCount]: keys.length,
          ...(recordKeys && { [attributes.keys]: [...keys] }),
        },
      }),
    failure: ({ error }) => error,
  })
  const endCalls = spanEach<L2Trace>(l2Traces(), {
    start: ({ namespace, call, key }) => {
      const about: Attributes = {
        [attributes.namespace]: namespace,
        [attributes.call]: call,
        [attributes.system]: 'redis',
        [attributes.operation]: operations[call],
        ...(recordKeys && { [attributes.keys]: [key] }),
      }
      return start(`${operations[call]} ${namespace}`, { kind: SpanKind.CLIENT, attributes: about })
    },
    failure: ({ result }) => (isTrouble(result) ? 'trouble' : undefined),
  })
  return () => {
    endLoads()
    endCalls()
  }
}

interface Spans<C> {
  readonly start: (of: C) => Span
  /** Undefined: it has ended well. */
  readonly failure: (of: C) => unknown
}

function spanEach<C extends object>(
  traces: TracingChannel<unknown, C>,
  { start, failure }: Spans<C>,
): () => void {
  const spans = new WeakMap<object, Span>()
  const begin = (of: unknown): Context => {
    const span = start(of as C)
    spans.set(of as C, span)
    return trace.setSpan(context.active(), span)
  }
  const end = (of: unknown): void => {
    const span = spans.get(of as C)
    if (span === undefined) return
    const why = failure(of as C)
    if (why !== undefined) fail(span, why)
    span.end()
  }
  const store = activeSpan()
  traces.start.bindStore(store, begin)
  traces.asyncEnd.subscribe(end)
  return () => {
    traces.start.unbindStore(store)
    traces.asyncEnd.unsubscribe(end)
  }
}

/**
 * The store of a channel is entered around what is traced, which is just where OpenTelemetry wants its context to be: so
 * this one keeps nothing, and enters that. A channel asks no more of a store than `run`.
 */
const activeSpan = (): AsyncLocalStorage<unknown> =>
  ({
    run: (active: Context, run: () => unknown) => context.with(active, run),
  }) as unknown as AsyncLocalStorage<unknown>

function fail(span: Span, why: unknown): void {
  if (why instanceof Error) span.recordException(why)
  span.setAttribute(attributes.errorType, typeOf(why))
  span.setStatus({ code: SpanStatusCode.ERROR })
}

/** A stable code where there is one, as our own errors have, else the class. */
function typeOf(why: unknown): string {
  if (typeof why === 'string') return why
  if (!(why instanceof Error)) return '_OTHER'
  return 'code' in why && typeof why.code === 'string' ? why.code : why.name
}

const isTrouble = (result: unknown): boolean =>
  typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'trouble'
