import { Cluster, Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'

import { eventually, ownCluster } from '../src/index.js'
import type { OwnClusterOptions } from '../src/index.js'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function connected(options?: OwnClusterOptions) {
  const cluster = await ownCluster(options)
  closers.push(() => cluster.remove())
  const client = new Cluster([...cluster.nodes], { redisOptions: { commandTimeout: 500 } })
  client.on('error', () => undefined)
  closers.push(() => {
    client.disconnect()
  })
  await eventually(() => client.status === 'ready')
  return { cluster, client }
}

test('three masters share the slots; one that is killed takes its keys with it and no others, until it is back', async () => {
  const { cluster, client } = await connected()
  expect(cluster.servers).toHaveLength(3)
  const keys = Array.from({ length: 30 }, (_, i) => `k${i}`)
  for (const key of keys) await client.set(key, key)
  const owners = await Promise.all(keys.map((key) => cluster.ownerOf(key)))
  expect(new Set(owners)).toEqual(new Set(cluster.servers))
  const victim = cluster.servers[1]!
  await victim.kill()
  for (const key of keys.filter((_, i) => owners[i] !== victim)) expect(await client.get(key)).toBe(key)
  await victim.start()
  await cluster.healthy()
  await eventually(async () => expect(await client.get(keys[owners.indexOf(victim)]!)).toBeNull())
})

test('a slot is moved with what is in it', async () => {
  const { cluster, client } = await connected()
  await client.set('x', 'here')
  const from = await cluster.ownerOf('x')
  const to = cluster.servers.find((server) => server !== from)!
  await cluster.moveSlot('x', to)
  expect(await cluster.ownerOf('x')).toBe(to)
  expect(await client.get('x')).toBe('here')
})

test.each([[false], [true]])('a replica takes over; its master was killed: %s', async (isKilled) => {
  const { cluster, client } = await connected({ replicas: 1 })
  expect(cluster.servers).toHaveLength(6)
  await client.set('x', 'here')
  const replicas = cluster.nodes.slice(3).map((url) => new Redis(url))
  closers.push(() => {
    for (const replica of replicas) replica.disconnect()
  })
  await eventually(async () =>
    expect(await Promise.all(replicas.map((replica) => replica.dbsize()))).toContain(1),
  )
  const master = await cluster.ownerOf('x')
  if (isKilled) await master.kill()
  await cluster.failOver(master)
  await eventually(async () => expect(await client.get('x')).toBe('here'), { timeoutMs: 20_000 })
  await eventually(async () => expect(await cluster.ownerOf('x')).not.toBe(master))
})
