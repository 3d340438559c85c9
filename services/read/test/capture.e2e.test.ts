/** A service does not start while changes of what it serves would be missed. */
import { eventually, launchService } from '@tidemark/testkit'
import type { House, ServiceName } from '@tidemark/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startShop } from './fixture/shop.js'

let house: House
beforeAll(async () => {
  house = await startShop({ services: [] })
  await house.sql('DROP TRIGGER tidemark_update ON product')
  await house.sql('DROP EVENT TRIGGER tidemark_detach')
})
afterAll(() => house.stop())

interface Line {
  readonly level: string
  readonly msg: string
}

const services: ServiceName[] = ['read', 'write']

test.each(services)(
  'the %s service does not start without a trigger, and says what mends it',
  async (name) => {
    const service = launchService(name, house.env)
    let hasEnded = false
    void service.ended.then(() => (hasEnded = true))
    await eventually(() => hasEnded || service.output().includes('"msg":"ready"'), { timeoutMs: 30_000 })
    await service.kill()
    expect(await service.ended).toEqual({ code: 1, signal: null })

    const lines = service
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    const told = (level: string) => lines.filter((line) => line.level === level).map(({ msg }) => msg)
    expect(told('fatal')).toEqual([
      expect.stringMatching(
        /^capture could not start .*resource products, table product: trigger tidemark_update is missing; run SELECT tidemark\.watch\('product', /,
      ),
    ])
    expect(told('warn')).toEqual([
      expect.stringContaining('event triggers are missing or disabled (tidemark_detach)'),
    ])
  },
)
