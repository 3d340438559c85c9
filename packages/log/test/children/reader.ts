import pg from 'pg'

import { followLog, logDatabase } from '../../src/index.js'

/** A reader process: says how its lag stands the moment it runs, each time it is asked, and by itself on a timer. */
const [redis, prefix, postgresUrl, maxLagMs] = process.argv.slice(2) as [string, string, string, string]
const postgres =
  postgresUrl === '' ? {} : { postgres: logDatabase(new pg.Pool({ connectionString: postgresUrl, max: 2 })) }
const live = followLog({ redis: { redis, prefix }, ...postgres, maxLagMs: Number(maxLagMs), buckets: 1024 })

const report = (type: string): void => {
  const lagMs = live.follower.lagMs(live.now())
  process.send?.({ type, isProven: lagMs <= Number(maxLagMs), lagMs, applied: live.follower.applied })
}

process.on('message', (message: { type: string }) => {
  report(message.type)
})

let last = performance.now()
setInterval(() => {
  const now = performance.now()
  if (now - last > Number(maxLagMs)) report('woke')
  last = now
}, 5)

await live.start()
report('started')
