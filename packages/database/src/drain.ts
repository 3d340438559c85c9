import type { Pool, PoolClient } from 'pg'

/** Connections of a pool, in use or not. Ask before the first one is opened. */
export function trackConnections(pool: Pool): ReadonlySet<PoolClient> {
  const open = new Set<PoolClient>()
  pool.on('connect', (client) => open.add(client))
  pool.on('remove', (client) => open.delete(client))
  return open
}

/**
 * Ends a pool: those who wait for a connection get one, statements that run may finish, and what is left after
 * `timeoutMs` is cut. Never rejects. Resolves to the number of connections that were cut.
 */
export async function drain(pool: Pool, open: ReadonlySet<PoolClient>, timeoutMs: number): Promise<number> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, 'late')
  })
  const drained = untilNobodyWaits(pool, timeout).then(async () => pool.end())
  const outcome = await Promise.race([drained.catch(() => undefined), timeout])
  clearTimeout(timer)
  if (outcome !== 'late') return 0
  const cut = [...open]
  // end() on a client with a running statement closes its socket.
  await Promise.all(cut.map(async (client) => client.end().catch(() => undefined)))
  return cut.length
}

/** pg-pool forgets its queue once it is ending. */
async function untilNobodyWaits(pool: Pool, timeout: Promise<unknown>): Promise<void> {
  let late = false
  void timeout.then(() => (late = true))
  while (pool.waitingCount > 0 && !late) {
    await Promise.race([new Promise((resolve) => pool.once('acquire', resolve)), timeout])
  }
}
