/** Nanoseconds on the system's monotonic clock, which all processes of one machine read alike. */
export const nowNs = (): number => Number(process.hrtime.bigint())
