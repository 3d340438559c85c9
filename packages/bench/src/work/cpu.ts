/** Milliseconds of processor time that this process has used, its collector's threads included. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
