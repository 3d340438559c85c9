import { expect, test } from 'vitest'
import { commonConfig, ConfigError, duration, httpUrl, parseConfig, storeUrl } from '../src/index.js'

const schema = commonConfig.extend({
  DATABASE_URL: storeUrl('postgres'),
  REDIS_URL: storeUrl('redis'),
  POLL: duration({ max: '1s' }).prefault('5ms'),
})

const right = { PORT: '4002', DATABASE_URL: 'postgres://u:p@h/d', REDIS_URL: 'redis://h:6379' }

function failure(env: Record<string, string>): ConfigError {
  try {
    parseConfig(schema, env)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('it was accepted')
}

test('a right configuration is parsed, durations into milliseconds, and defaults are filled in', () => {
  expect(parseConfig(schema, { ...right, STARTUP_TIMEOUT: '1m', LOG_LEVEL: '', NOISE: 'x' })).toEqual({
    ...right,
    PORT: 4002,
    HOST: '0.0.0.0',
    LOG_LEVEL: 'info',
    STARTUP_TIMEOUT: 60_000,
    SHUTDOWN_TIMEOUT: 10_000,
    TIDEMARK_PREFIX: 'tidemark',
    POLL: 5,
  })
})

test('all mistakes are named at once, one per line, with what was given and what is allowed', () => {
  const error = failure({
    PORT: '70000',
    LOG_LEVEL: 'loud',
    STARTUP_TIMEOUT: 'soon',
    POLL: '2s',
    TIDEMARK_PREFIX: 'a b',
    DATABASE_URL: 'postgres://u:p@h/d',
  })
  expect(error.mistakes.map(({ variable }) => variable).sort()).toEqual([
    'LOG_LEVEL',
    'POLL',
    'PORT',
    'REDIS_URL',
    'STARTUP_TIMEOUT',
    'TIDEMARK_PREFIX',
  ])
  expect(error.message.split('\n')).toHaveLength(7)
  expect(error.message).toContain('PORT is "70000": must be a whole number from 0 to 65535')
  expect(error.message).toContain('REDIS_URL is not set: must be a URL such as redis://')
  expect(error.message).toContain('LOG_LEVEL is "loud": must be one of fatal, error')
  expect(error.message).toContain(`POLL is "2s": must be a duration from '1ms' to '1s'`)
  expect(error.code).toBe('config_invalid')
})

test('a wrong secret is never shown, only the server it names', () => {
  const { message } = failure({
    ...right,
    DATABASE_URL: 'mysql://root:hunter2@db:3306/x',
    REDIS_URL: 'hunter3@@',
  })
  expect(message).toContain('DATABASE_URL is "mysql://…@db:3306/…"'.replaceAll('"', ''))
  expect(message).toContain('REDIS_URL is (not shown)')
  expect(message).not.toMatch(/hunter|root/)
})

test.each(['10', '-1s', '1 s', '1y', 'NaN', '1s1s', '0ms', '8d', '1e3s'])(
  'the duration %s is refused',
  (given) => {
    expect(failure({ ...right, SHUTDOWN_TIMEOUT: given }).mistakes).toHaveLength(1)
  },
)

test.each(['', '12a', '1.5', '-1', '0x50', '99999'])('the port %j is refused', (given) => {
  expect(failure({ ...right, PORT: given }).mistakes).toHaveLength(1)
})

test('the URL of a service loses the slash at its end, and is refused with a password, a query or another protocol', () => {
  const service = commonConfig.extend({ READ_URL: httpUrl() })
  expect(parseConfig(service, { ...right, READ_URL: 'https://h:8080/base/' }).READ_URL).toBe(
    'https://h:8080/base',
  )
  for (const given of ['redis://h', 'http://u:p@h', 'http://h/?a=b', 'http://h/#x', 'h:80', 'http://'])
    expect(() => parseConfig(service, { ...right, READ_URL: given })).toThrow('READ_URL')
})
