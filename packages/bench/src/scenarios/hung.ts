import { ownRedis } from '@tidemark/testkit'
import { figureOf } from '../measure/figure.js'
import type { Row } from '../measure/table.js'
import { peersWith } from '../peers/registry.js'
import { contestant } from '../stage/contestant.js'
import type { Scenario } from './scenario.js'

const withinMs = 3_000

/** A Redis of its own, stopped with SIGSTOP: it takes connections and answers nothing. */
export const hung: Scenario = {
  name: 'hung',
  async run(stage) {
    const redis = await ownRedis()
    stage.stack.push(() => redis.remove())
    const rows: Row[] = []
    for (const peer of peersWith('l1+l2').filter(({ kind }) => kind !== 'floor')) {
      const times: number[] = []
      let invalid: string | undefined
      let hangs = 0
      const each = await contestant(stage, peer, {
        work: 'hung',
        tiers: 'l1+l2',
        bus: peer.hasBus,
        redisUrl: redis.url,
      })
      try {
        if (!(await each.call<boolean>('read', { key: 'product:warm' }))) invalid = 'the value is wrong'
        await redis.pause()
        for (let i = 0; i < stage.rounds(3) && hangs === 0; i++) {
          const ms = await each.call<number | null>('cold', { key: `product:cold-${i}`, withinMs })
          if (ms === null) hangs++
          else times.push(ms)
        }
      } catch (error) {
        invalid = (error as Error).message
      }
      await redis.resume()
      await each.end()
      const figure = hangs > 0 ? `hangs > ${withinMs / 1_000} s` : figureOf(times)
      rows.push({ who: peer.name, isUs: peer.kind === 'us', figures: [figure], invalid })
    }
    await redis.remove()
    return [
      {
        title: 'Redis hung (SIGSTOP), cold key with a working loader, default settings',
        columns: [{ title: 'until answered', unit: 'ms' }],
        rows,
        isMoreBetter: false,
      },
    ]
  },
}
