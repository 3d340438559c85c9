/** Every bound of an HTTP server. Times are in milliseconds. */
export interface ServerLimits {
  /** Requests in the app at once; the next is answered 503. */
  readonly maxInFlight: number
  /** Open connections; the next is dropped. */
  readonly maxConnections: number
  /** Request line and headers together; more is answered 431. */
  readonly maxHeaderBytes: number
  /** From the first byte to the end of the headers; later is answered 408. */
  readonly headersTimeoutMs: number
  /** From the first byte to the end of the body; later is answered 408. */
  readonly requestTimeoutMs: number
  /** How long an idle connection is kept: above the usual minute of load balancers, so that they close first. */
  readonly keepAliveTimeoutMs: number
  /** Without a byte in either direction: a client that has stopped reading its answer. */
  readonly silenceTimeoutMs: number
  /** How often the two timeouts for requests are looked after. */
  readonly checkIntervalMs: number
}

const DEFAULTS: ServerLimits = {
  maxInFlight: 1_000,
  maxConnections: 10_000,
  maxHeaderBytes: 16_384,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  silenceTimeoutMs: 120_000,
  checkIntervalMs: 5_000,
}

export function serverLimits(given: Partial<ServerLimits>): ServerLimits {
  const keys = Object.keys(DEFAULTS) as (keyof ServerLimits)[]
  return Object.fromEntries(keys.map((key) => [key, given[key] ?? DEFAULTS[key]])) as unknown as ServerLimits
}
