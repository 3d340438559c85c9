/**
 * Which Postgres connections this process believes. The check is made once for each connection, before it serves, and
 * all connections are renewed when the follower adopts a new term.
 *
 * Both checks call `sequence()`: a server that has lost history says so only there, by beginning a new epoch.
 */
import { createSequencer, logDatabase } from '@tidemark/log'
import { isSameEpoch } from '@tidemark/tide'
import type { Epoch, Follower } from '@tidemark/tide'

type Client = Parameters<typeof logDatabase>[0]

/**
 * For the log: a primary, of no older term than the follower's. A newer one is how the follower learns of it.
 * @throws Error that says what is wrong with the server
 */
export async function verifyLog(client: Client, follower: Follower): Promise<Epoch> {
  const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby')
  if (rows[0]?.standby !== false) throw new Error('the server is a standby: the primary is needed')
  const { epoch } = await createSequencer({ log: logDatabase(client) }).sequence()
  const own = follower.epoch
  if (own !== undefined && epoch.term < own.term)
    throw new Error(
      `the server is in term ${epoch.term}, the log is in term ${own.term}: it is a deposed primary or an old backup`,
    )
  return epoch
}

/**
 * For loads: also of the follower's very epoch. What a load gives is stamped with the position that this process has
 * applied, so the server must have all of that, and nothing of another history.
 * @throws Error that says what is wrong with the server
 */
export async function verifyOrigin(client: Client, follower: Follower): Promise<void> {
  const epoch = await verifyLog(client, follower)
  const own = follower.epoch
  if (own === undefined) throw new Error('no position of the log is known yet: a load could not be stamped')
  if (!isSameEpoch(epoch, own))
    throw new Error(`the server has begun term ${epoch.term}, which this process does not follow yet`)
}
