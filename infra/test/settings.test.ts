import { expect, test } from 'vitest'

import { launchSettings } from '../src/launch/settings.js'

test('ports are 4001 write, 4002 read and 4003 invalidation unless the environment says otherwise', () => {
  expect(launchSettings({}, []).ports).toEqual({ write: 4001, read: 4002, invalidation: 4003 })
  expect(launchSettings({ READ_PORT: '5000' }, []).ports.read).toBe(5000)
})

test('a port that is no port is refused with its variable and what was given', () => {
  for (const given of ['http', '0', '65536', '4001.5', '-1']) {
    expect(() => launchSettings({ WRITE_PORT: given }, [])).toThrow(`WRITE_PORT is "${given}"`)
  }
})

test('two services on one port are refused, naming both variables', () => {
  expect(() => launchSettings({ READ_PORT: '4003' }, [])).toThrow(
    'READ_PORT and INVALIDATION_PORT are both 4003',
  )
})

test('the admin token is a new one each time, unless the environment says otherwise', () => {
  const [one, other] = [launchSettings({ ADMIN_TOKEN: '' }, []), launchSettings({}, [])]
  expect(one.adminToken).toMatch(/^[0-9a-f]{24}$/)
  expect(one.adminToken).not.toBe(other.adminToken)
  expect(launchSettings({ ADMIN_TOKEN: 'a-token-of-this-test' }, []).adminToken).toBe('a-token-of-this-test')
})

test('an empty URL in the environment counts as none', () => {
  expect(launchSettings({ DATABASE_URL: '', REDIS_URL: '' }, [])).toMatchObject({
    databaseUrl: undefined,
    redisUrl: undefined,
  })
})
