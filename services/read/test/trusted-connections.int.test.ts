import { migrate } from '@tidemark/database'
import { createSequencer, logDatabase } from '@tidemark/log'
import { emptyDatabase } from '@tidemark/testkit'
import { Follower, TideTable } from '@tidemark/tide'
import type { Epoch } from '@tidemark/tide'
import { createDatabase } from '@tidemark/database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyLog, verifyOrigin } from '../src/trusted-connections.js'

let drop: () => Promise<void>
let database: ReturnType<typeof createDatabase>
let epoch: Epoch

beforeAll(async () => {
  const empty = await emptyDatabase()
  await migrate(empty.url)
  database = createDatabase({ url: empty.url, name: 'trusted-connections-test' })
  epoch = (await createSequencer({ log: logDatabase(database.pool) }).sequence()).epoch
  drop = async () => {
    await database.close()
    await empty.drop()
  }
})
afterAll(() => drop())

function followerIn(own: Epoch | undefined): Follower {
  const follower = new Follower(new TideTable({ buckets: 64, seed: 1 }))
  if (own !== undefined) follower.begin(own, { position: 1, mark: 1 })
  return follower
}

async function withConnection<T>(act: (client: Parameters<typeof verifyLog>[0]) => Promise<T>): Promise<T> {
  const client = await database.pool.connect()
  try {
    return await act(client)
  } finally {
    client.release()
  }
}

const origin = (own: Epoch | undefined) => withConnection((client) => verifyOrigin(client, followerIn(own)))
const log = (own: Epoch | undefined) => withConnection((client) => verifyLog(client, followerIn(own)))

describe('a connection serves loads only if its server is in the very epoch that is followed', () => {
  it('the same epoch is believed', async () => {
    await expect(origin(epoch)).resolves.toBeUndefined()
  })

  it('a deposed primary, in an older term than the log, is refused', async () => {
    await expect(origin({ term: epoch.term + 1, nonce: 1 })).rejects.toThrow(/deposed primary/)
    await expect(log({ term: epoch.term + 1, nonce: 1 })).rejects.toThrow(/deposed primary/)
  })

  it('another history of the same term is refused', async () => {
    await expect(origin({ term: epoch.term, nonce: epoch.nonce + 1 })).rejects.toThrow(/does not follow/)
  })

  it('a server that is a term ahead gives no loads, but its log is how the follower learns of it', async () => {
    await expect(origin({ term: epoch.term - 1, nonce: 1 })).rejects.toThrow(/does not follow yet/)
    await expect(log({ term: epoch.term - 1, nonce: 1 })).resolves.toEqual(epoch)
  })

  it('nothing is believed while no position of the log is known', async () => {
    await expect(origin(undefined)).rejects.toThrow(/no position/)
  })

  it('a server that lost its history, and whose clock still says the old term, is found out', async () => {
    await database.pool.query('DELETE FROM tidemark.pulse')
    await expect(origin(epoch)).rejects.toThrow(/does not follow yet/)
  })
})
