import { ConfigError } from '@tidemark/service'
import { expect, test } from 'vitest'
import { readConfig } from '../src/config.js'
import { readHooks } from '../src/webhooks/read-hooks.js'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const good = { name: 'orders', url: 'https://example.org/hook', secret }

const read = (hooks: unknown, env: Record<string, string> = {}) =>
  readHooks({ WEBHOOKS: typeof hooks === 'string' ? hooks : JSON.stringify(hooks) }, env)

function mistakesOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return ''
}

test('a hook is read with its defaults, its secret from the entry or from the variable that it names', () => {
  const [own] = read([good])
  expect(own).toMatchObject({
    ...{ name: 'orders', style: 'json', secrets: [Buffer.alloc(32, 7)] },
    ...{ concurrency: 4, timeoutMs: 10_000, attempts: 12, retryAfterMs: 5_000, backlogMax: 1_000 },
  })
  const named = { name: 'a', url: good.url, secretEnv: 'NEW', previousSecretEnv: 'OLD' }
  const old = `whsec_${Buffer.alloc(24, 1).toString('base64')}`
  expect(read([named], { NEW: secret, OLD: old })[0]).toMatchObject({
    secrets: [Buffer.alloc(32, 7), Buffer.alloc(24, 1)],
  })
  const fastly = {
    name: 'cdn',
    style: 'fastly',
    service: 'SU1Z0isxPaozGVKXdv0eY',
    secretEnv: 'TOKEN',
    soft: true,
  }
  expect(read([fastly], { TOKEN: 'a-token-of-fastly' })[0]).toMatchObject({
    ...{ style: 'fastly', url: 'https://api.fastly.com', token: 'a-token-of-fastly', isSoft: true },
    againMs: 5_000,
  })
  expect(read([])).toEqual([])
  expect(readHooks({}, {})).toEqual([])
})

test.each([
  ['no JSON', '{', 'must be a JSON array of hooks'],
  ['no array', {}, 'must be a JSON array of hooks'],
  ['an entry that is none', [1], 'entry 1'],
  ['name missing', [{ ...good, name: undefined }], 'entry 1 name:'],
  [
    'name with a colon',
    [{ ...good, name: 'a:b' }],
    "entry 1 name: must be 1 to 40 small letters, digits or '-'",
  ],
  ['name twice', [good, good], "entry 2 (orders) name: is another hook's already"],
  [
    'url of another kind',
    [good, { ...good, name: 'b', url: 'file:///etc/passwd' }],
    'entry 2 (b) url: must be',
  ],
  [
    'url with a password',
    [{ ...good, url: 'https://a:hidden-word@example.org' }],
    'entry 1 (orders) url: must be',
  ],
  ['no secret', [{ ...good, secret: undefined }], 'entry 1 (orders) secret: is missing'],
  ['secret of another form', [{ ...good, secret: 'hidden-word-of-many-letters' }], 'secret: must be'],
  ['secret too short', [{ ...good, secret: 'whsec_aGlkZGVuLXdvcmQ=' }], 'secret: must be'],
  [
    'variable not set',
    [{ ...good, secret: undefined, secretEnv: 'NOPE' }],
    'secretEnv: names NOPE, which is not set',
  ],
  ['secret twice', [{ ...good, secretEnv: 'PATH_' }], 'secretEnv: give either'],
  ['style unknown', [{ ...good, style: 'soap' }], 'entry 1 (orders) style:'],
  ['field unknown', [{ ...good, retries: 1 }], 'entry 1 (orders)'],
  ['timeout too long', [{ ...good, timeout: '1h' }], 'entry 1 (orders) timeout: must be'],
  ['attempts none', [{ ...good, attempts: 0 }], 'entry 1 (orders) attempts:'],
  ['tags none', [{ ...good, tags: [] }], 'entry 1 (orders) tags:'],
  ['fastly without a service', [{ ...good, style: 'fastly' }], 'entry 1 (orders) service:'],
  ['too many', Array.from({ length: 51 }, (_, i) => ({ ...good, name: `h${i}` })), 'at most 50 hooks'],
])('%s: the message names the entry and the field, and shows nothing that was given', (_, hooks, wanted) => {
  const message = mistakesOf(() => read(hooks, { PATH_: secret }))
  expect(message).toContain(wanted)
  expect(message).not.toContain('hidden')
  expect(message).not.toContain(secret)
})

test('the service reads them from its environment, and a file that is not there is a mistake', () => {
  const env = { PORT: '0', DATABASE_URL: 'postgres://u@h/d', REDIS_URL: 'redis://h' }
  expect(readConfig({ ...env, WEBHOOKS: JSON.stringify([good]) }).hooks).toHaveLength(1)
  expect(mistakesOf(() => readConfig({ ...env, WEBHOOKS_FILE: '/nowhere/hooks.json' }))).toContain(
    'WEBHOOKS_FILE',
  )
  expect(mistakesOf(() => readConfig({ ...env, ADMIN_TOKEN: 'short-secret' }))).not.toContain('short-secret')
  expect(mistakesOf(() => readConfig({ ...env, ADMIN_TOKEN: 'short-secret' }))).toContain('ADMIN_TOKEN')
})
